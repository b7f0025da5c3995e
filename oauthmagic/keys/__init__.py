"""Keys, signatures and certificates: the only place that imports cryptography.

jwts          sign and verify a JWT (RFC 7515, RFC 7519)
certificates  a throw-away certificate authority for a loopback server

The time is an argument here as well.
"""
