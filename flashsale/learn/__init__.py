"""The course: steps as data, checks that are pure functions of what is there, and who runs them.

``step`` says what a step is, ``steps/`` has one file for each, ``look`` reads what is there into
``facts``; ``course_state`` is what the learner sees and presses, ``views/`` draw it, and
``course_runner`` plays it on a terminal.
"""
