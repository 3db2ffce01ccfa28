"""Links people's Confluence accounts and keeps their tokens alive.

Modules in the order in which data flows through them:

    urls, views, admin, checks, management   the edge: people and operators
    provider, adapters                       our provider inside allauth
    oauth2_adapter, tasks                    the callback's exchange; Celery's entry
    linking                                  link, reconnect, unlink
    client                                   spaces, pages, search of a linked site
    handoff                                  a fresh access token for a linked site
    refresh                                  due, lease, exchange, store
    sites                                    what a token reaches
    vault                                    sealing; the only cryptography
    token_endpoint                           RFC 6749 exchanges, answers classified
    atlassian                                what we know of the other side
    http                                     the only door to the network
    events, models, tokens, errors           what the rest speaks in
"""
