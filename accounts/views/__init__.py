"""Pages about people and organizations. Everything else about an account is allauth's.

start           what this is, or the way to one's own organization
organizations   making and renaming one
members         who is in it, with which role
inviting        asking people in, from inside
keys            making and revoking keys for services
joining         coming in by a mailed invitation
"""
