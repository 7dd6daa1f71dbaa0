"""The image answers as a full installation of the same release does, but for what was reviewed."""

from tests.image.differential.conftest import Compared
from tests.image.differential.review import reviewed
from tests.image.differential.steps import WORLDS, steps
from tests.image.routes import Route

SUCCESS = range(200, 400)


def test_the_image_has_the_routes_of_the_full_installation(image_routes: set[Route], plain_routes: set[Route]) -> None:
    assert not image_routes ^ plain_routes, sorted(image_routes ^ plain_routes)


def test_every_route_is_called(plain_routes: set[Route]) -> None:
    called = {step.within(world, plain_routes).route for file in steps().values() for step in file for world in WORLDS}

    assert not plain_routes - called, sorted(plain_routes - called)
    assert not called - plain_routes, sorted(called - plain_routes)


def test_every_call_is_valid(compared: list[Compared]) -> None:
    wrong = [
        str(each)
        for each in compared
        if (each.plain.status not in SUCCESS if each.step.status is None else each.plain.status != each.step.status)
    ]

    assert not wrong, "\n".join(wrong)


def test_a_call_that_is_meant_to_fail_says_why() -> None:
    assert [
        step.place for file in steps().values() for step in file if (step.status is None) != (step.because is None)
    ] == []


def test_no_answer_differs_unreviewed(compared: list[Compared]) -> None:
    known = reviewed()
    differing = [
        f"{each}\n  at: {', '.join(parts)}"
        for each in compared
        if (
            parts := [
                part for part in each.differences() if not any(one.covers(each.step.title, part) for one in known)
            ]
        )
    ]

    assert not differing, "\n".join(differing)


def test_no_reviewed_difference_is_gone(compared: list[Compared]) -> None:
    found = {(each.step.title, part) for each in compared for part in each.differences()}
    gone = [
        (call, one.reason)
        for one in reviewed()
        for call in one.calls
        if not any(one.covers(call, part) for name, part in found if name == call)
    ]

    assert gone == []
