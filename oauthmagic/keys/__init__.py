"""Keys, signatures and certificates: the only place that imports cryptography.

jwts          sign and verify a JWT (RFC 7515, RFC 7519)
certificates  a throw-away certificate authority for a loopback server
der           the DER of ASN.1, as far as the next one needs it
qcstatements  the extension qcStatements (RFC 3739, ETSI TS 119 495)
qualified     read a QWAC or a QSealC, and a private key
preflight     whether certificates will do, before anything is sent
synthetic     certificates in the shape of the real ones, for demos and tests
signatures    sign HTTP requests with a seal (draft-cavage-http-signatures)

The time is an argument here as well.
"""
