import pytest

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import check_bind, load_settings

GOOD = {
    "ENV": "production",
    "SECRET_KEY": "k" * 32,
    "POSTGRES_PASSWORD": "p" * 12,
    "MAD_STATIC_TOKEN": "t" * 32,
    "FLOWER_BASIC_AUTH": "admin:" + "f" * 12,
}


def problems(**changes: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load_settings({**GOOD, **changes})
    listed = caught.value.details["problems"]
    assert isinstance(listed, list)
    return listed


def test_good_secrets_are_accepted() -> None:
    assert load_settings(GOOD).warnings == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SECRET_KEY", "", "is not set"),
        ("SECRET_KEY", "k" * 31, "is shorter than 32 characters"),
        ("SECRET_KEY", "change-me" * 5, "is the published example"),
        ("POSTGRES_PASSWORD", "", "is not set"),
        ("POSTGRES_PASSWORD", "change-me", "is the published example"),
        ("POSTGRES_PASSWORD", "p" * 11, "is shorter than 12 characters"),
        ("MAD_STATIC_TOKEN", "t" * 31, "is shorter than 32 characters"),
        ("MAD_STATIC_TOKEN", "Change-Me-" * 4, "is the published example"),
        ("FLOWER_BASIC_AUTH", "admin:change-me", "is the published example"),
        ("FLOWER_BASIC_AUTH", f"admin:{'f' * 12},guest:guest", "is shorter than 12 characters"),
    ],
)
def test_weak_secrets_are_refused_in_production_only(name: str, value: str, reason: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(f"{name} {reason}")
    load_settings({**GOOD, name: value, "ENV": "development"})


@pytest.mark.parametrize(
    "url", ["postgresql://mad@db/mad", "postgresql://mad:change-me@db/mad", "postgresql://mad:mad@db/mad"]
)
def test_the_password_within_an_address_counts_too(url: str) -> None:
    (line,) = problems(DATABASE_URL=url, POSTGRES_PASSWORD="")
    assert line.startswith("The password in DATABASE_URL ")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mad@/mad?host=/run/pg",
        "postgresql://mad@db/mad?sslcert=/c.pem&sslkey=/k.pem",
        "postgresql://mad@db/mad?passfile=/run/pgpass",
    ],
)
def test_other_ways_to_sign_in_need_no_password(url: str) -> None:
    load_settings({**GOOD, "DATABASE_URL": url, "POSTGRES_PASSWORD": ""})


def test_flower_may_be_absent() -> None:
    load_settings({**GOOD, "FLOWER_BASIC_AUTH": ""})


def test_all_weak_secrets_are_named_at_once_beside_other_problems() -> None:
    lines = problems(SECRET_KEY="", POSTGRES_PASSWORD="", PORT="x")
    assert len(lines) == 3


class TestBind:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
    def test_loopback_in_development_needs_no_token(self, host: str) -> None:
        check_bind(load_settings({"HOST": host}))

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "mad.example.org", "localhost.example.org"])
    @pytest.mark.parametrize("env", ["development", "test"])
    def test_any_other_bind_needs_a_token(self, host: str, env: str) -> None:
        with pytest.raises(Misconfigured, match="MAD_STATIC_TOKEN") as caught:
            check_bind(load_settings({"HOST": host, "ENV": env}))
        assert caught.value.error_code == "token_required"
        check_bind(load_settings({"HOST": host, "ENV": env, "MAD_STATIC_TOKEN": "t" * 32}))

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_production_needs_a_token_wherever_it_binds(self, host: str) -> None:
        settings = load_settings({**GOOD, "HOST": host, "MAD_STATIC_TOKEN": ""})
        with pytest.raises(Misconfigured, match="ENV=production"):
            check_bind(settings)
        check_bind(load_settings({**GOOD, "HOST": host}))

    def test_the_published_token_is_a_warning_in_development(self) -> None:
        (warning,) = load_settings({"MAD_STATIC_TOKEN": "change-me"}).warnings
        assert warning == "MAD_STATIC_TOKEN is the published example; whoever reaches the API can use it"
