// Receives webhooks of Phytobatch: checks each signature and prints each event once.
//
//	WEBHOOK_SECRET=whsec_... go run webhook_receiver.go PORT
//
// Needs Go 1.19 or newer and no module. The module standard-webhooks/standard-webhooks/libraries/go makes the same check.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	toleranceSeconds = 300
	maxBodyBytes     = 256 * 1024
)

type event struct {
	Type string `json:"type"`
	Data struct {
		JobID string `json:"job_id"`
		State string `json:"state"`
	} `json:"data"`
}

// verify gives the event in body, the bytes as they came, if one of the signatures fits.
func verify(secret string, headers http.Header, body []byte) (event, error) {
	var found event
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || math.Abs(float64(time.Now().Unix()-seconds)) > toleranceSeconds {
		return found, errors.New("webhook-timestamp is missing, or too far from this machine's clock")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return found, errors.New("the secret is none")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// Several signatures come while a secret is being changed.
	for _, given := range strings.Split(headers.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(given), expected) {
			return found, json.Unmarshal(body, &found)
		}
	}
	return found, errors.New("no signature fits")
}

type receiver struct {
	secret string
	lock   sync.Mutex
	seen   map[string]bool // yours: a unique column, written in the transaction that does the work
}

func (r *receiver) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBodyBytes))
	if err != nil {
		http.Error(response, "the body cannot be read", http.StatusBadRequest)
		return
	}
	came, err := verify(r.secret, request.Header, body)
	if err != nil {
		log.Print(err)
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if id := request.Header.Get("webhook-id"); !r.seen[id] {
		fmt.Println(came.Type, came.Data.JobID, came.Data.State)
		r.seen[id] = true
	}
	response.WriteHeader(http.StatusNoContent)
}

func main() {
	secret := os.Getenv("WEBHOOK_SECRET")
	if secret == "" || len(os.Args) < 2 {
		log.Fatal("usage: WEBHOOK_SECRET=whsec_... webhook_receiver PORT")
	}
	// This machine alone, or all of the world for a sender elsewhere: WEBHOOK_BIND=0.0.0.0
	bind := os.Getenv("WEBHOOK_BIND")
	if bind == "" {
		bind = "127.0.0.1"
	}
	server := &http.Server{
		Addr:              net.JoinHostPort(bind, os.Args[1]),
		Handler:           &receiver{secret: secret, seen: map[string]bool{}},
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
