"""The mock behind proxies (`--trust-proxy`, Werkzeug's ProxyFix), and pages of other origins (`app.cors`, flask-cors)."""

from .table import Group

SEEN = "[request.remote_addr, request.scheme, request.host, request.url, request.script_root, request.is_secure]"


def proxied(hops: int) -> Group:
    every = ", ".join(f"x_{what}={hops}" for what in ("for", "proto", "host", "port", "prefix"))
    group = Group(f"{hops} proxies", python=f"app.wsgi_app = ProxyFix(app.wsgi_app, {every})", flags=["--trust-proxy", str(hops)])
    group.view("/seen", python=f"return jsonify({SEEN})", rhai=f"jsonify({SEEN})")
    group.view("/links", python="return jsonify([url_for('v0'), url_for('v0', _external=True)])", rhai='jsonify([url_for("v0"), url_for("v0", #{ _external: true })])')
    group.view("/folder/", python="return request.path", rhai="request.path")
    group.view("/to", python="return redirect(url_for('v0'))", rhai='redirect(url_for("v0"))')
    group.view("/cookie", python="r = make_response('x')\nr.set_cookie('a', '1')\nreturn r", rhai='let r = make_response("x");\nr.set_cookie("a", "1");\nr')
    return group


one = proxied(1)
FOR, PROTO = "X-Forwarded-For: 10.0.0.7", "X-Forwarded-Proto: https"
NAME, PORT, PREFIX = "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 8443", "X-Forwarded-Prefix: /shop"
one.case("none", "GET /seen")
one.case("For", "GET /seen", [FOR])
one.case("For of two", "GET /seen", ["X-Forwarded-For: 10.0.0.8, 10.0.0.7"])
one.case("For in two lines", "GET /seen", ["X-Forwarded-For: 10.0.0.8", "X-Forwarded-For: 10.0.0.7"])
one.case("For, empty", "GET /seen", ["X-Forwarded-For:"])
one.case("For, IPv6", "GET /seen", ["X-Forwarded-For: 2001:db8::1"])
one.case("Proto", "GET /seen", [PROTO])
one.case("Host", "GET /seen", [NAME])
one.case("Host with a port", "GET /seen", [NAME + ":8443"])
one.case("Host and Proto with port 443", "GET /seen", [NAME + ":443", PROTO])
one.case("Port", "GET /seen", [PORT])
one.case("Port 443 with Proto", "GET /seen", ["X-Forwarded-Port: 443", PROTO])
one.case("Host and Port", "GET /seen", [NAME, PORT])
one.case("Host with a port, and Port", "GET /seen", [NAME + ":1", PORT])
one.case("Prefix", "GET /seen", [PREFIX])
one.case("all", "GET /seen?a=1", [FOR, PROTO, NAME, PORT, PREFIX])
one.case("url_for with all", "GET /links", [FOR, PROTO, NAME, PORT, PREFIX])
one.case("redirect with a prefix", "GET /to", [PREFIX], compare="status Location")
one.case("trailing slash with a prefix", "GET /folder?a=1", [PREFIX, NAME, PROTO], compare="status")
one.case("a cookie with a prefix", "GET /cookie", [PREFIX], compare="status cookies")

two = proxied(2)
two.case("For of one", "GET /seen", [FOR])
two.case("For of two", "GET /seen", ["X-Forwarded-For: 10.0.0.8, 10.0.0.7"])
two.case("For of three", "GET /seen", ["X-Forwarded-For: 10.0.0.9, 10.0.0.8,10.0.0.7"])
two.case("For of two and Proto of one", "GET /seen", ["X-Forwarded-For: 10.0.0.8, 10.0.0.7", PROTO])
two.case("Proto of two", "GET /seen", ["X-Forwarded-Proto: https, http"])
two.case("Host of two", "GET /seen", ["X-Forwarded-Host: a.example, b.example"])

none = Group("no proxy")
none.view("/seen", python=f"return jsonify({SEEN})", rhai=f"jsonify({SEEN})")
none.case("all", "GET /seen", [FOR, PROTO, NAME, PORT, PREFIX])

HERE, THERE = "Origin: https://a.example", "Origin: https://b.example"
ACCESS = "Access-Control-Allow-Origin Access-Control-Allow-Credentials Access-Control-Expose-Headers"
PREFLIGHT = "status Access-Control-Allow-Origin Access-Control-Allow-Credentials Access-Control-Allow-Methods~ Access-Control-Allow-Headers~ Access-Control-Max-Age"
ASKS = "Access-Control-Request-Method: PUT"


VARY = "another origin gets another answer, which caches must know (Fetch standard); flask-cors says so only if there are several"


def shared(title: str, python: str, rhai: str, flags: list[str] = [], vary: tuple[str | None, str | None] = (None, None)) -> Group:
    """Makes a group. `vary` has the reasons why `Vary` differs: with an origin, and without."""
    group = Group(title, python=python, rhai=rhai, flags=flags)
    group.view("/item", python='return "x"', rhai='"x"', methods="GET PUT")
    group.view("/abort", python="abort(409)", rhai="abort(409)")
    group.case("simple", "GET /item", [HERE], compare=f"status {ACCESS} body")
    group.case("without Origin", "GET /item", compare=f"status {ACCESS}")
    group.case("of another origin", "GET /item", [THERE], compare=f"status {ACCESS} body")
    group.case("on an error", "GET /abort", [HERE], compare=f"status {ACCESS}")
    group.case("on a 404", "GET /none", [HERE], compare=f"status {ACCESS}")
    group.case("on a 405", "DELETE /item", [HERE], compare=f"status {ACCESS}")
    group.case("preflight", "OPTIONS /item", [HERE, ASKS], compare=PREFLIGHT)
    group.case("preflight with headers", "OPTIONS /item", [HERE, ASKS, "Access-Control-Request-Headers: x-token, content-type"], compare=PREFLIGHT)
    group.case("preflight of another origin", "OPTIONS /item", [THERE, ASKS], compare=PREFLIGHT)
    group.case("Vary", "GET /item", [HERE], compare="status Vary~", differs=vary[0])
    group.case("Vary without Origin", "GET /item", compare="status Vary~", differs=vary[1])
    return group


anyone = shared("cors", "CORS(app)", "app.cors();", vary=(None, VARY))
named = shared(
    "cors of an origin",
    'CORS(app, origins=["https://a.example"], supports_credentials=True, max_age=600, expose_headers=["X-A", "X-B"])',
    'app.cors(#{ origins: ["https://a.example"], credentials: true, max_age: 600, expose_headers: ["X-A", "X-B"] });',
    vary=(VARY, VARY),
)
flagged = shared("--cors *", "CORS(app, send_wildcard=True)", "", ["--cors", "*"])
listed = shared("--cors of an origin", 'CORS(app, origins="https://a.example")', "", ["--cors", "https://a.example"], (VARY, VARY))
