"""Choices on the page: shared by all tabs, marked while they wait, refused where they are wrong."""

import pytest

pytestmark = pytest.mark.slow


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).first.click()
    page.wait_for_selector(".q-menu", state="detached")


def test_choices_are_shared_and_say_what_is_in_effect(program, open_page, photograph):
    page = open_page(program.address)
    other = open_page(program.address)
    page.wait_for_selector(".now:text-is('now: still')")
    choose(page, "Model", "random")
    page.get_by_label("Seed").fill("12")
    page.wait_for_selector(".waits-text:visible")
    for tab in (other, open_page(program.address)):
        tab.wait_for_selector(".waits-text:text-is('Reset to apply'):visible")
        assert tab.get_by_label("Seed").input_value() == "12"
        assert tab.locator(".q-select:has-text('random (no model)')").count() == 1
        assert tab.locator(".now").all_inner_texts() == ["now: dot, seed 0", "now: still"]
        assert tab.locator(".q-input.waits").count() == 1
    photograph(page, "choices-wait")
    other.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_selector(".now:text-is('now: dot, seed 12')")
    page.wait_for_selector(".waits-text", state="hidden")
    assert page.locator(".waits").count() == 0


def test_a_seed_that_is_none_is_said_and_never_becomes_another(program, open_page, photograph):
    page = open_page(program.address)
    page.wait_for_selector(".status:text-is('ready')")
    now = page.locator(".now").first.inner_text()
    for text in ("abc", "1.5", "-1", str(2**64), ""):
        page.get_by_label("Seed").fill(text)
        page.wait_for_selector(".field-error:has-text('a seed is a whole number'):visible")
        page.get_by_role("button", name="Reset", exact=True).click()
        page.wait_for_selector(".message.error:has-text('a seed is a whole number')")
    photograph(page, "seed-refused")
    assert page.locator(".now").first.inner_text() == now
    page.get_by_label("Seed").fill("5")
    page.wait_for_selector(".field-error", state="hidden")
    page.get_by_label("Steps per run").fill("0")
    page.wait_for_selector(".field-error:has-text('a run has 1 to 200 steps'):visible")


def test_a_model_that_cannot_plan_here_is_offered_with_the_reason_only(
    program, open_page, photograph
):
    page = open_page(program.address)
    page.get_by_label("Model").click()
    option = page.get_by_role("option", name="rigid (shipped) (not here")
    assert option.get_attribute("aria-disabled") == "true"
    photograph(page, "models-not-here")
