"""The bounds of a multipart form that no setting holds."""

MAX_FIELDS = 16
MAX_FIELD_BYTES = 64 * 1024
# A name of a file comes in two forms from some clients, each with nine bytes for a letter.
MAX_HEADER_BYTES = 16 * 1024
MAX_HEADER_LINES = 8
