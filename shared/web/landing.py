"""The pages that the links of our mail lead to, for people who have no other client at hand.

A page only asks: following a link changes nothing, since mail scanners follow links too. The button does.
"""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

_TEMPLATE = Path(__file__).with_name("landing.html")

_FORM = '<form id="{id}" data-done="{done}">{inputs}<button>{button}</button></form>'
_SIGN_IN_INPUT = (
    '<label>Password<input name="password" type="password" required minlength="8" maxlength="200"'
    ' autocomplete="{autocomplete}"></label>'
)
_NEW_PASSWORD = _SIGN_IN_INPUT.format(autocomplete="new-password")
_NAME = '<label>Name<input name="name" required maxlength="200" autocomplete="name"></label>'
_ACCOUNT = '<label>User name or e-mail<input name="username" required autocomplete="username"></label>'


def verification() -> HTMLResponse:
    """Where the verification letter leads to."""
    form = _FORM.format(
        id="verify", done="Your address is confirmed. You can sign in now.", inputs="", button="Confirm"
    )
    return _page("Confirm your e-mail address", "Confirm that this address is yours.", form)


def password() -> HTMLResponse:
    """Where the reset and welcome letters lead to."""
    form = _FORM.format(
        id="password", done="Your password is set. You can sign in now.", inputs=_NEW_PASSWORD, button="Set password"
    )
    return _page("Choose a password", "At least 8 characters. You will be signed out everywhere.", form)


def invitation() -> HTMLResponse:
    """Where the invitation leads to."""
    accept = _FORM.format(
        id="accept",
        done="You are a member now.",
        inputs=f"<h2>I have an account</h2>{_ACCOUNT}{_SIGN_IN_INPUT.format(autocomplete='current-password')}",
        button="Sign in and accept",
    )
    register = _FORM.format(
        id="register",
        done="You are a member now and can sign in.",
        inputs=f"<h2>I am new here</h2>{_NAME}{_NEW_PASSWORD}",
        button="Register and accept",
    )
    return _page("Invitation", "Reading the invitation…", accept + register)


def _page(title: str, about: str, forms: str) -> HTMLResponse:
    html = Template(_TEMPLATE.read_text()).substitute(title=title, about=about, forms=forms)
    return HTMLResponse(html, headers={"Content-Security-Policy": _policy(), "Cache-Control": "no-store"})


@lru_cache
def _policy() -> str:
    """Only the script and the style of the template run, by their hashes; only we are called."""
    html = Template(_TEMPLATE.read_text()).substitute(title="", about="", forms="")
    sources = {
        element: " ".join(
            f"'sha256-{_hash(text)}'" for text in re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        )
        for element in ("script", "style")
    }
    return (
        f"default-src 'none'; script-src {sources['script']}; style-src {sources['style']}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
