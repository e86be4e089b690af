"""The page on which people try the API: Swagger UI, from a package, without any other host."""
