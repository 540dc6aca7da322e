"""Pages that come, look on, lose the program and leave, in a real browser."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.gui.program import UNCHECKED, free_port
from visual_foresight.envs.dot import DotEnv

pytestmark = pytest.mark.slow
NUM_LOADS = 25
SIDE = 64
SLOW = ("--model", "simulator", "--preset", "thorough")
"""Flags of a search that is slow enough to be caught."""
LOST = ".banner:visible"


def ask(address, method="GET", headers=None):
    """Return status, headers and text of an answer, without following where it sends us."""
    request = urllib.request.Request(address, method=method, headers=headers or {})
    opener = urllib.request.build_opener(
        Unmoved(), urllib.request.HTTPSHandler(context=UNCHECKED)
    )
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Unmoved(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def begin(page, steps=200):
    """Make a goal, and begin to run for it."""
    page.wait_for_selector(".status:text-is('ready')")
    env = DotEnv()
    env.reset(seed=0)
    place = env.project(env.truth()[0, :3])
    for col in (place.col, SIDE - 1 - place.col):
        box = page.locator(".frame.click").bounding_box()
        x = (col + 0.5) / SIDE * box["width"]
        y = (place.row + 0.5) / SIDE * box["height"]
        page.locator(".frame.click").click(position={"x": x, "y": y})
    page.wait_for_selector(".mark.target")
    page.get_by_label("Steps per run").fill(str(steps))
    page.get_by_role("button", name="Run", exact=True).click()


def run_on(page):
    """Run until the robot has moved."""
    begin(page)
    page.wait_for_selector(".status:has-text('step')")


def test_a_page_is_gone_when_its_browser_is(start, open_page):
    program = start(start=("-m", "tests.gui.counting"))
    page = open_page(program.address)
    for _ in range(NUM_LOADS - 1):
        page.reload()
        page.wait_for_selector(".frame.click img[src^=data]")
    page.context.close()
    nothing = {"pages": 0, "clients": 0}
    until(lambda: json.loads(ask(program.address + "count")[2]) == nothing)


def test_no_answer_may_be_framed_and_none_says_where_it_was(program, open_page, browser):
    for path in ("", "alive", "nowhere", "_nicegui_ws/socket.io/?EIO=4&transport=polling"):
        _, headers, _ = ask(program.address + path)
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
    refused = ask(program.address, headers={"Host": "[::1"})
    assert refused[0] == 400 and refused[1]["X-Frame-Options"] == "DENY"
    frame = f"<iframe src='{program.address}' onload='loaded = true'></iframe>"
    page = browser.new_page()
    page.set_content(frame)
    page.wait_for_function("window.loaded")
    assert page.frames[-1].locator("button").count() == 0
    page.close()


def test_the_token_is_in_the_first_address_only(start, browser, open_page):
    program = start("--host", "0.0.0.0")
    outward, here, view = re.findall(r"(http\S+)\?(?:token=)?([\w-]+)", program.said())
    assert outward[1] == here[1] != view[1]
    assert here[0] == program.address and "0.0.0.0" not in outward[0]
    assert ask(outward[0])[0] == 401, "the address that is printed answers"
    assert ask(program.address + "_nicegui_ws/socket.io/?EIO=4&transport=polling")[0] == 401
    page = open_page("?token=".join(here))
    assert page.url == program.address, "neither address nor history has the token"
    assert page.evaluate("document.cookie") == ""
    page.evaluate(f"fetch('/nowhere?token={here[1]}')")
    page.evaluate("fetch('/nowhere?a=b', {method: 'POST'})")
    assert ask(program.address + "nowhere", headers={"Cookie": "x=y"})[0] == 401
    looking = open_page("?token=".join(view))
    assert looking.url.endswith("/?role=view")
    page.context.clear_cookies()
    page.get_by_role("button", name="Goal image").click()
    (program.out.parent / "a.png").write_bytes(b"anything")
    page.locator("input[type=file]").set_input_files(program.out.parent / "a.png")
    page.wait_for_selector(".message.error:has-text('A token is needed')")
    said = program.said().replace(f"?token={here[1]}", "", 2)
    assert here[1] not in said and view[1] not in said.replace(f"?token={view[1]}", "", 1)


def test_who_looks_on_sees_everything_and_steers_nothing(start, open_page, photograph):
    program = start()
    steering = open_page(program.address)
    page = open_page(program.address + "?role=view")
    begin(steering, 3)
    page.wait_for_selector(".status:has-text('ready')")
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".list .run:has-text('dot-')")
    page.wait_for_selector("text=view only")
    photograph(page, "view-only")
    for name in ("World", "Seed", "Model", "Stop at"):
        field = page.locator(f".q-field:has(.q-field__label:text-is('{name}'))")
        assert "q-field--disabled" in str(field.get_attribute("class")), name
    for name in ("Reset", "Run", "Undo", "Imagine now"):
        button = page.get_by_role("button", name=name, exact=True)
        assert not button.is_visible() or button.is_disabled(), name
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector(".message:has-text('The link was copied')")
    assert "Drag an object" not in page.locator(".scene .hint").first.inner_text()
    before = json.loads(ask(program.address + "alive")[2])["version"]
    click = "name => [...document.querySelectorAll('button')].find(b => b.innerText == name)"
    for name in ("Reset", "Imagine different actions"):
        page.evaluate(f"({click})({name!r})?.click()")
    page.locator(".frame.click").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".message.error:has-text('view only')")
    page.wait_for_timeout(300)
    assert json.loads(ask(program.address + "alive")[2])["version"] == before
    assert steering.locator(".message.error:visible").count() == 0
    page.get_by_role("tab", name="Plans").click()  # what is this page's own still works
    page.wait_for_selector(".plans")


def test_a_program_that_does_not_answer_is_seen_and_so_is_its_return(
    start, open_page, photograph
):
    program = start(*SLOW)
    page = open_page(program.address)
    run_on(page)
    page.wait_for_timeout(600)
    assert page.locator(LOST).count() == 0
    program.process.send_signal(signal.SIGSTOP)
    try:
        start_s = time.monotonic()
        page.wait_for_selector(LOST)
        assert time.monotonic() - start_s < 4
        photograph(page, "no-connection")
        assert page.locator(".status:visible").all_inner_texts() == ["no connection"]
        for name in ("Stop", "Pause", "Run"):
            button = page.locator(f".q-btn:has-text('{name}')").first
            assert button.evaluate("button => !!button.closest('[inert]')")
    finally:
        program.process.send_signal(signal.SIGCONT)
    page.wait_for_selector(LOST, state="detached")
    page.wait_for_selector(".status:has-text('step')")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector(".status:text-is('ready')")


@pytest.mark.parametrize("key", ["Escape", " "])
def test_a_key_stops_the_robot(start, open_page, key):
    page = open_page(start(*SLOW).address)
    run_on(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    page.wait_for_selector(".status:text-is('ready')")


def test_a_run_stops_when_the_last_page_that_steers_is_gone(start, open_page):
    program = start(*SLOW, "--stop-when-alone", "1.5")
    looking = open_page(program.address + "?role=view")
    page = open_page(program.address)
    run_on(page)
    page.reload()
    page.wait_for_selector(".status:has-text('step')")
    page.wait_for_timeout(2500)
    assert page.locator(".status:has-text('step')").count() == 1, "a reload is no leaving"
    page.context.close()
    looking.wait_for_selector(".status:text-is('ready')")
    looking.wait_for_selector(".message:has-text('nobody was at the page for 1.5 s')")
    assert "nobody was at the page" in program.said()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_result_is_printed_at_the_end(start, number):
    program = start("--json")
    program.process.send_signal(number)
    assert program.process.wait(60) == 0
    result = json.loads(program.said().splitlines()[-1])
    assert result == {"address": program.address, "runs": 0}


def complaint(*flags):
    """Return what the program says when it refuses its flags."""
    command = [sys.executable, "-m", "visual_foresight", "gui", "--model", "still", *flags]
    command += ["--no-browser", "--port", str(free_port())]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2 and ended.stdout == ""
    return ended.stderr


@pytest.mark.parametrize("place", ["/proc/runs", "/sys/runs", "/dev/full", "/dev/full/runs"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_page_is_announced(place):
    sentence = r"visual-foresight: the runs cannot be written to \S+ \(.+\): .+\n"
    assert re.fullmatch(sentence, complaint("--out", place))


@pytest.fixture
def certificate(tmp_path):
    """Return the files of a certificate and of its key."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=robot"]
    command += ["-out", files[0], "-keyout", files[1]]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl was found: install it")
    return files


def test_a_page_is_encrypted(start, open_page, certificate):
    flags = ("--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    program = start(*flags, "--token", "abcdefgh12345678")
    address = re.findall(r"Open (\S+)", program.said())[0]
    assert address == f"{program.address}?token=abcdefgh12345678"
    assert address.startswith("https://")
    page = open_page(address, ignore_https_errors=True)
    assert [cookie["secure"] for cookie in page.context.cookies()] == [True]
    page.wait_for_selector(".status:text-is('ready')")


@pytest.mark.parametrize("what", ["missing", "swapped", "locked"])
def test_a_bad_certificate_is_one_sentence(certificate, tmp_path, what):
    files = list(certificate)
    if what == "missing":
        files[0] = tmp_path / "nowhere.pem"
    elif what == "swapped":
        files.reverse()
    else:
        files[1] = tmp_path / "locked.pem"
        command = ["openssl", "pkey", "-in", certificate[1], "-aes256", "-passout", "pass:x"]
        subprocess.run([*command, "-out", files[1]], check=True, capture_output=True)
    certificate_flag = ("--tls-certificate", os.fspath(files[0]))
    said = complaint(*certificate_flag, "--tls-key", os.fspath(files[1]))
    assert re.fullmatch(r"visual-foresight: .+: .+\n", said), said
