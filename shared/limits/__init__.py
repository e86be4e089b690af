"""The limits of a tenant. Those of a single request stand in ``api/limits``."""
