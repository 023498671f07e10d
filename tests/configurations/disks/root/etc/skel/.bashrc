# a new user has this
