"""What a tenant may use at a time. Limits of a single request stand where requests are read (``api/limits``)."""
