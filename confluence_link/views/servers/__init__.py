"""The pages of an organization's Data Center servers.

overview     the list, a new server, one server with what is left to do, its check
settings     name, address, network; the end
credentials  client id and secret, entered here
asking       the mail to the server's administrator
setup        what that administrator finds behind the mail, without an account
"""
