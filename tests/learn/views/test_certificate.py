"""The page about what a learner did."""

from __future__ import annotations

from flashsale.learn.course import OWN
from flashsale.learn.course_progress import CourseProgress
from flashsale.learn.views.certificate import certificate_document, certificate_page
from flashsale.ui.report.page import course_page
from tests.learn.facts import begun, sale

DONE = CourseProgress().noting(
    "kill",
    state="done",
    answer=1,
    began=1_790_000_000.0,
    ended=1_790_000_060.0,
    before=begun(sale()),
    seen=("deleted: flashsale-rs-aaaaa", "<b>flashsale-rs-ddddd</b> replaced it"),
    reveal=("It was ready after 5.0 s.", "kubectl says so: <script>alert(1)</script>"),
    hints=2,
    place="embedded/default",
)


def test_it_has_the_learners_own_figures() -> None:
    """The guess, the right answer, the facts, the seconds."""
    page = certificate_page(OWN, DONE)
    assert "1 of 11 steps" in page
    assert "Guess: 2 pods (the answer is: 3 pods)." in page
    assert "It was ready after 5.0 s." in page
    assert "On embedded/default, in 60 s; 2 of 3 hints." in page
    assert "Not done yet." in page


def test_nothing_in_it_is_obeyed_by_a_browser() -> None:
    """Names come from a cluster and a machine; and the page loads nothing."""
    page = course_page(certificate_document(OWN, DONE, "<img src=x>"))
    assert "<script" not in page
    assert "<b>flashsale" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page


def test_before_the_course_it_says_so() -> None:
    """No figure is made up."""
    certificate = certificate_document(OWN, CourseProgress(), "ann")
    assert (certificate["done"], certificate["minutes"], certificate["when"]) == (0, 0, "Not begun")
    assert course_page(certificate).count("Not done yet.") == len(OWN)
