"""The steps of the course, one a file; :mod:`flashsale.learn.course` has their order."""
