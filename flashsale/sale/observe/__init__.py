"""What can be seen of a sale: the watches, what the news mean, and who waits for what.

``observations`` are the news with the moment of their arrival, ``stream`` brings them from the API,
``healing_tracker`` says what they mean, and ``monitor`` runs all of it for the commands.
"""
