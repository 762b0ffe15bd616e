# A module of the application's own, which it imports when it wants to.
