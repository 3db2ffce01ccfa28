"""The HTTP API for services, under `/api/v1/`: bearer keys, JSON, problems by code.

    middleware  what holds for every answer, whoever makes it
    problems    errors in the form of RFC 9457
    keys        who calls
    schemas     what is asked and answered
    routes      the operations
    v1          all of it together

No session counts here, and nothing is asked of the database but for the organization
of the key.
"""
