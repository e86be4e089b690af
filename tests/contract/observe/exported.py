"""The metrics of exporters of others, as far as rules and dashboards ask for it: each metric with its labels.

Seen on real servers: node exporter 1.5, postgres_exporter 0.11, redis_exporter 1.45 (as user `monitor`), Caddy 2.6,
SeaweedFS 4.48 (`-metricsPort`), Alertmanager 0.25, Prometheus 2.42. A name that is not here may be a typing error.
"""

NODE = {
    "node_cpu_seconds_total": {"cpu", "mode"},
    "node_disk_io_time_seconds_total": {"device"},
    "node_disk_read_bytes_total": {"device"},
    "node_disk_written_bytes_total": {"device"},
    "node_filesystem_avail_bytes": {"device", "fstype", "mountpoint"},
    "node_filesystem_size_bytes": {"device", "fstype", "mountpoint"},
    "node_load15": set(),
    "node_memory_MemAvailable_bytes": set(),
    "node_memory_MemTotal_bytes": set(),
    "node_network_receive_bytes_total": {"device"},
    "node_network_transmit_bytes_total": {"device"},
    "node_pressure_cpu_waiting_seconds_total": set(),
    "node_pressure_io_waiting_seconds_total": set(),
    "node_pressure_memory_waiting_seconds_total": set(),
}
POSTGRES = {
    "pg_database_size_bytes": {"datname", "server"},
    "pg_locks_count": {"datname", "mode", "server"},
    "pg_settings_max_connections": {"server"},
    "pg_stat_activity_count": {"datname", "state", "server"},
    "pg_stat_activity_max_tx_duration": {"datname", "state", "server"},
    **{
        f"pg_stat_database_{name}": {"datid", "datname", "server"}
        for name in (
            "blks_hit",
            "blks_read",
            "deadlocks",
            "temp_bytes",
            "tup_deleted",
            "tup_fetched",
            "tup_inserted",
            "tup_updated",
            "xact_commit",
            "xact_rollback",
        )
    },
    "pg_up": set(),
}
VALKEY: dict[str, set[str]] = {
    f"redis_{name}": set()
    for name in (
        "blocked_clients",
        "commands_processed_total",
        "connected_clients",
        "evicted_keys_total",
        "memory_max_bytes",
        "memory_used_bytes",
        "rejected_connections_total",
        "up",
    )
}
OBJECTS = {
    "SeaweedFS_s3_in_flight_requests": {"type"},
    "SeaweedFS_s3_request_seconds_bucket": {"bucket", "le", "type"},
    "SeaweedFS_s3_request_total": {"bucket", "code", "type"},
    "SeaweedFS_volumeServer_disk_error_status": {"name", "type"},
    "SeaweedFS_volumeServer_resource": {"name", "type"},
}
PROXY = {
    "caddy_http_request_duration_seconds_bucket": {"code", "handler", "le", "method", "server"},
    "caddy_http_request_duration_seconds_count": {"code", "handler", "method", "server"},
    "caddy_http_requests_in_flight": {"handler", "server"},
}
WATCHERS = {
    "alertmanager_notifications_failed_total": {"integration"},
    "alertmanager_notifications_total": {"integration"},
    "prometheus_notifications_errors_total": {"alertmanager"},
    "scrape_duration_seconds": set(),
}
EXPORTED: dict[str, set[str]] = {**NODE, **POSTGRES, **VALKEY, **OBJECTS, **PROXY, **WATCHERS}
