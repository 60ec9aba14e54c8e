"""How the course is shown: on the screen, as a list, and the certificate's page."""
