"""The authorization server that both deployments share. Protocol checks are
Authlib's; this package keeps the state and says what differs from the RFCs."""
