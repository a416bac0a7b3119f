"""The database, through PostgREST: one typed method for each call, one call for each step that must not be halved."""
