"""Performs a grant: `oauthmagic.oauth` builds and reads, a transport sends."""
