"""Answers: statuses, errors, redirects, cookies, ETags of views, methods."""

from .files import MATCH
from .table import Group

NO_INFORMATIONAL = "a client takes 1xx for no answer and waits for another one (RFC 9110 15.2): 500"

ANY = "RFC 9110 13.1.2: `*` is any content, with an ETag or without"
WEAK = "RFC 9110 13.1.1: If-Match compares strongly, and a weak ETag never holds"

status = Group("status")
status.view("/body/<int:code>", python='return "body", code', rhai='["body", code]')
status.view("/empty/<int:code>", python='return "", code', rhai='["", code]')
status.view("/set/<int:code>", python='r = make_response("")\nr.status_code = code\nreturn r', rhai='let r = make_response("");\nr.status_code = code;\nr')
status.view("/said", python='return "", "101 Switching"', rhai='["", "101 Switching"]')
status.view("/text", python='return "x", "299 Quite Well"', rhai='["x", "299 Quite Well"]')
status.view("/length", python='return Response("", headers={"Content-Length": "1234"})', rhai='make_response("", 200, #{ "Content-Length": "1234" })', methods="HEAD")
status.view("/both", python='return "0123456789"', rhai='"0123456789"')
status.view("/abort/<int:code>", python='abort(code, "why")', rhai='abort(code, "why")')
status.view("/bare/<int:code>", python="abort(code)", rhai="abort(code)")
status.view("/only", python='return "x"', rhai='"x"', methods="POST PUT")
status.view("/folder/", python='return "folder"', rhai='"folder"')
status.view("/nothing", python="return None", rhai="()")
status.view("/list", python='return ["a", 1]', rhai='jsonify(["a", 1])')

for code in (200, 201, 204, 400, 404, 500, 599, 600, 799, 999):
    status.case(f"{code} with a body", f"GET /body/{code}", compare="status Content-Length Content-Type body")
status.case(
    "304 with a body", "GET /body/304", compare="status Content-Length body", differs="Content-Length is that of the 200 (RFC 9110 8.6)"
)
status.case("304 without a body", "GET /empty/304", compare="status Content-Length body")
status.case("205 with a body", "GET /body/205", compare="status body", differs="205 has no body (RFC 9110 15.3.6)")
status.case("205", "GET /empty/205", compare="status body")
for code in (100, 101, 103, 199):
    status.case(f"{code}", f"GET /empty/{code}", compare="status", differs=NO_INFORMATIONAL)
status.case("101 of a response", "GET /set/101", compare="status", differs=NO_INFORMATIONAL)
status.case("101 as text", "GET /said", compare="status", differs=NO_INFORMATIONAL)
for code in (205, 304, 600):
    status.case(f"{code} of a response", f"GET /set/{code}", compare="status body")
status.case("with a reason of its own", "GET /text", compare="status reason body")
for code in (200, 404, 600):
    status.case(f"reason of {code}", f"GET /empty/{code}", compare="status")
status.case("HEAD of GET", "HEAD /both", compare="status Content-Length Content-Type body")
DECLARED = "the length that a rule declares for HEAD is sent; Flask counts the bytes of the body"
status.case("HEAD of its own with Content-Length", "HEAD /length", compare="status Content-Length body", differs=DECLARED)
status.case("OPTIONS", "OPTIONS /both", compare="status Allow~ Content-Length body")
status.case("OPTIONS of POST and PUT", "OPTIONS /only", compare="status Allow~")
status.case("OPTIONS of an unknown path", "OPTIONS /none", compare="status")
status.case("405", "GET /only", compare="status Allow~ Content-Type page")
status.case("405 of DELETE", "DELETE /both", compare="status Allow~")
status.case("404", "GET /none", compare="status Content-Type page")
status.case("HEAD of an unknown path", "HEAD /none", compare="status Content-Type body")
for code in (400, 401, 403, 404, 409, 410, 413, 415, 418, 422, 429, 451, 500, 501, 503, 504):
    status.case(f"abort({code})", f"GET /bare/{code}", compare="status Content-Type page")
status.case("abort with a text", "GET /abort/409", compare="status Content-Type body")
status.case("a folder without its slash", "GET /folder", compare="status", differs=None)
status.case("a slash too many", "GET /both/", compare="status")
status.case("doubled slashes", "GET //both", compare="status")
status.case("a view without an answer", "GET /nothing", compare="status")
status.case("a list", "GET /list", compare="status Content-Type body")

handlers = Group(
    "handler",
    python="""
@app.errorhandler(404)
def missing(e):
    return {"error": str(e)[:14], "code": e.code, "name": e.name}, 404
@app.errorhandler(409)
def conflict(e):
    return "conflict: " + e.description
@app.after_request
def mark(response):
    response.headers["X-Status"] = str(response.status_code)
    return response
@app.before_request
def stop():
    if "stop" in request.args:
        return "stopped", 503
""",
    rhai="""app.register_error_handler(404, missing);
app.register_error_handler(409, |e| "conflict: " + e.description);
app.after_request(mark);
app.before_request(stop);""",
    functions="""fn missing(e) { [#{ error: e.to_string().sub_string(0, 14), code: e.code, name: e.name }, 404] }
fn mark(response) { response.headers["X-Status"] = response.status_code.to_string(); response }
fn stop() { if "stop" in request.args { return ["stopped", 503]; } }""",
)
handlers.view("/abort/<int:code>", python='abort(code, "why")', rhai='abort(code, "why")')
handlers.view("/returned", python='return "mine", 404', rhai='["mine", 404]')
for name, request in [
    ("of 404", "GET /none"),
    ("of an abort", "GET /abort/404"),
    ("without a status", "GET /abort/409"),
    ("for another code", "GET /abort/410"),
    ("not called by a view that returns 404", "GET /returned"),
    ("of HEAD", "HEAD /none"),
    ("before the request", "GET /returned?stop"),
    ("before a 404", "GET /none?stop"),
    ("before a 405", "POST /returned?stop"),
]:
    handlers.case(name, request, compare="status Content-Type X-Status body")
handlers.case("after a 405", "POST /returned", compare="status X-Status")
handlers.case("after OPTIONS", "OPTIONS /returned", compare="status X-Status Allow~")

etag = Group("etag")
MADE = 'r = make_response("0123456789")\n'
MADE_RHAI = 'let r = make_response("0123456789");\n'
etag.view("/strong", python=MADE + 'r.set_etag("v1")\nreturn r.make_conditional(request)', rhai=MADE_RHAI + 'r.set_etag("v1");\nr.make_conditional(request)', methods="GET POST")
etag.view("/weak", python=MADE + 'r.set_etag("v1", weak=True)\nreturn r.make_conditional(request)', rhai=MADE_RHAI + 'r.set_etag("v1", true);\nr.make_conditional(request)')
etag.view("/plain", python=MADE + 'r.set_etag("v1")\nreturn r', rhai=MADE_RHAI + 'r.set_etag("v1");\nr')
etag.view("/added", python=MADE + "r.add_etag()\nreturn r.make_conditional(request)", rhai=MADE_RHAI + "r.add_etag();\nr.make_conditional(request)")
etag.view("/dated", python=MADE + "r.last_modified = 784111777\nreturn r.make_conditional(request)", rhai=MADE_RHAI + "r.last_modified = 784111777;\nr.make_conditional(request)")
etag.view("/read", python="return jsonify([request.if_none_match.contains('v1'), bool(request.if_none_match), str(request.if_modified_since)])", rhai="jsonify([request.if_none_match.contains(\"v1\"), request.if_none_match.to_string() != \"\", `${request.if_modified_since ?? \"None\"}`])")
etag.view(
    "/range",
    python=MADE + "return r.make_conditional(request, accept_ranges=True, complete_length=10)",
    rhai=MADE_RHAI + "r.make_conditional(request, #{ accept_ranges: true, complete_length: 10 })",
)
WHOLE = "status ETag Content-Length Content-Type body"
etag.case("strong", "GET /strong", compare=WHOLE)
etag.case("weak", "GET /weak", compare=WHOLE)
etag.case("without make_conditional", "GET /plain", ['If-None-Match: "v1"'], compare=WHOLE)
for name, value in [("of it", '"v1"'), ("weak", 'W/"v1"'), ("in a list", '"a", "v1"'), ("of another", '"v2"'), ("of all", "*"), ("malformed", "v1"), ("empty", "")]:
    etag.case(f"strong, If-None-Match {name}", "GET /strong", [f"If-None-Match: {value}"], compare=WHOLE)
etag.case("weak, If-None-Match of it", "GET /weak", ['If-None-Match: W/"v1"'], compare=WHOLE)
etag.case("weak, If-None-Match strong", "GET /weak", ['If-None-Match: "v1"'], compare=WHOLE)
etag.case("weak, If-Match strong", "GET /weak", ['If-Match: "v1"'], compare="status", differs=WEAK)
etag.case("POST, If-None-Match of it", "POST /strong", ['If-None-Match: "v1"'], compare=WHOLE)
etag.case("HEAD, If-None-Match of it", "HEAD /strong", ['If-None-Match: "v1"'], compare="status ETag body")
etag.case("If-Match of another", "GET /strong", ['If-Match: "v2"'], compare="status")
etag.case("If-Match of it", "GET /strong", ['If-Match: "v1"'], compare=WHOLE)
etag.case("add_etag", "GET /added", compare="status ETag")
etag.case("add_etag, If-None-Match of it", "GET /added", ["If-None-Match: {ETag}"], compare="status body")
etag.case("last_modified", "GET /dated", compare="status Last-Modified body")
etag.case("last_modified, If-Modified-Since", "GET /dated", ["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], compare="status body")
etag.case("last_modified, If-Modified-Since earlier", "GET /dated", ["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], compare="status body")
etag.case("If-Match of all", "GET /strong", ["If-Match: *"], compare="status", differs=MATCH)
etag.case("If-None-Match of all without an ETag", "GET /dated", ["If-None-Match: *"], compare="status", differs=ANY)
etag.case("If-None-Match of another and If-Modified-Since", "GET /dated", ['If-None-Match: "x"', "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], compare="status")
etag.case("a range of a view", "GET /range", ["Range: bytes=2-4"], compare="status Content-Range Accept-Ranges Content-Length body")
etag.case("a view with ranges, whole", "GET /range", compare="status Accept-Ranges body")
etag.case("a range of a view behind the end", "GET /range", ["Range: bytes=20-"], compare="status Content-Range")
etag.case("a range of a view without ranges", "GET /strong", ["Range: bytes=2-4"], compare="status Content-Range Accept-Ranges body")
etag.case("request.if_none_match", "GET /read", ['If-None-Match: "v1"'])
etag.case("request.if_none_match, none", "GET /read")

cookie = Group("cookie")
for number, (name, python, rhai) in enumerate(
    [
        ("plain", "'a', '1'", '"a", "1"'),
        ("max_age", "'a', '1', max_age=60", '"a", "1", #{ max_age: 60 }'),
        ("max_age 0", "'a', '1', max_age=0", '"a", "1", #{ max_age: 0 }'),
        ("expires", "'a', '1', expires=784111777", '"a", "1", #{ expires: 784111777 }'),
        ("path and domain", "'a', '1', path='/x', domain='a.example'", '"a", "1", #{ path: "/x", domain: "a.example" }'),
        ("secure, httponly, samesite", "'a', '1', secure=True, httponly=True, samesite='Lax'", '"a", "1", #{ secure: true, httponly: true, samesite: "Lax" }'),
        ("samesite strict", "'a', '1', samesite='Strict'", '"a", "1", #{ samesite: "Strict" }'),
        ("samesite none", "'a', '1', samesite='None', secure=True", '"a", "1", #{ samesite: "None", secure: true }'),
        ("with a blank", "'a', 'x y'", '"a", "x y"'),
        ("with quotes", "'a', 'x\"y'", '"a", "x\\"y"'),
        ("with a semicolon and a comma", "'a', 'x;y,z'", '"a", "x;y,z"'),
        ("in UTF-8", "'a', 'ü'", '"a", "ü"'),
        ("of no characters", "'a', ''", '"a", ""'),
    ]
):
    cookie.view(f"/{number}", python=f"r = make_response('x')\nr.set_cookie({python})\nreturn r", rhai=f'let r = make_response("x");\nr.set_cookie({rhai});\nr')
    cookie.case(name, f"GET /{number}", compare="status cookies")
cookie.view("/gone", python="r = make_response('x')\nr.delete_cookie('a')\nreturn r", rhai='let r = make_response("x");\nr.delete_cookie("a");\nr')
cookie.view("/gone/path", python="r = make_response('x')\nr.delete_cookie('a', path='/x', domain='a.example')\nreturn r", rhai='let r = make_response("x");\nr.delete_cookie("a", #{ path: "/x", domain: "a.example" });\nr')
cookie.view("/two", python="r = make_response('x')\nr.set_cookie('a', '1')\nr.set_cookie('b', '2')\nreturn r", rhai='let r = make_response("x");\nr.set_cookie("a", "1");\nr.set_cookie("b", "2");\nr')
cookie.case("deleted", "GET /gone", compare="status cookies")
cookie.case("deleted with a path", "GET /gone/path", compare="status cookies")
cookie.case("two", "GET /two", compare="status cookies")

places = Group("redirect")
places.view("/to", python="return redirect('/there?a=1&b=2')", rhai='redirect("/there?a=1&b=2")')
places.view("/code/<int:code>", python="return redirect('/there', code)", rhai='redirect("/there", code)')
places.view("/far", python="return redirect('https://a.example/ü b')", rhai='redirect("https://a.example/ü b")')
places.view("/folder/", python='return "x"', rhai='"x"')
places.view("/item/<int:id>", python="return url_for('v4', id=id + 1)", rhai='url_for("v4", #{ id: id + 1 })')
places.view("/external", python="return url_for('v4', id=1, _external=True, q='ü b')", rhai='url_for("v4", #{ id: 1, _external: true, q: "ü b" })')
places.view("/anchor", python="return url_for('v4', id=1, _anchor='top', a=[1, 2])", rhai='url_for("v4", #{ id: 1, _anchor: "top", a: [1, 2] })')
places.view("/path", python="return url_for('v8', rest='a b/ü')", rhai='url_for("v8", #{ rest: "a b/ü" })')
places.view("/deep/<path:rest>", python="return rest", rhai="rest")
TO = "status Location"
RELATIVE = "Location is relative: it fits whatever name the client reached the mock by"
places.case("a path", "GET /to", compare="status Location Content-Type")
for code in (301, 303, 307, 308):
    places.case(f"{code}", f"GET /code/{code}", compare=TO)
places.case("another host with UTF-8", "GET /far", compare=TO)
places.case("trailing slash", "GET /folder", compare=TO, differs=RELATIVE)
places.case("trailing slash with a query", "GET /folder?a=%C3%BC+1&b", compare=TO, differs=RELATIVE)
places.case("doubled slashes", "GET //folder///", compare=TO, differs=RELATIVE)
places.case("url_for", "GET /item/7")
places.case("url_for, external", "GET /external")
places.case("url_for, anchor and list", "GET /anchor")
places.case("url_for, path", "GET /path")

stream = Group("streams")
stream.view("/list", python='return Response(["a", "b"])', rhai='stream(["a", "b"])')
stream.view(
    "/generator",
    python='def pieces():\n    for i in range(3):\n        yield f"{i}\\n"\nreturn Response(pieces(), mimetype="text/plain")',
    rhai='stream(|n| if n < 3 { n + "\\n" }, #{ mimetype: "text/plain" })',
    methods="GET POST",
)
stream.view(
    "/tuple",
    python='def pieces():\n    yield "a"\n    yield b"b"\nreturn pieces(), 201, {"X-A": "1"}',
    rhai='[stream(["a", "b".to_blob()]), 201, #{ "X-A": "1" }]',
)
stream.view(
    "/context",
    python='def pieces():\n    yield request.args["a"]\n    yield request.path\nreturn Response(stream_with_context(pieces()))',
    rhai='stream(|n| switch n { 0 => request.args["a"], 1 => request.path, _ => () })',
)
stream.view(
    "/events",
    python='def events():\n    for i in range(2):\n        yield f"id: {i}\\ndata: {json.dumps({\'n\': i}, separators=(\',\', \':\'))}\\n\\n"\n'
    'return Response(events(), mimetype="text/event-stream")',
    rhai="sse(|n| if n < 2 { #{ id: n, data: #{ n: n } } })",
)
stream.view(
    "/changed",
    python='r = Response(x for x in ["a", "b"])\nr.status_code = 202\nr.headers["X-B"] = "2"\nr.set_cookie("k", "v")\nr.set_etag("t")\nreturn r',
    rhai='let r = stream(["a", "b"]);\nr.status_code = 202;\nr.headers["X-B"] = "2";\nr.set_cookie("k", "v");\nr.set_etag("t");\nr',
)
stream.view(
    "/conditional",
    python='r = Response(x for x in ["abc", "def"])\nr.set_etag("t")\nreturn r.make_conditional(request, accept_ranges=True)',
    rhai='let r = stream(["abc", "def"]);\nr.set_etag("t");\nr.make_conditional(request, true)',
)
stream.view("/streamed", python='return str(Response(x for x in "ab").is_streamed)', rhai='if stream(["a", "b"]).is_streamed { "True" } else { "False" }')
stream.view("/length", python='return str(Response(x for x in "ab").content_length)', rhai='if stream(["a", "b"]).content_length == () { "None" } else { "a number" }')
stream.view("/none", python='return Response((x for x in ["a"]), status=204)', rhai='stream(["a"], #{ status: 204 })')
# Flask counts the bytes of a list, and of a generator where it looks for ranges. The pieces of a stream leave one by one.
COUNTED = dict.fromkeys(("/list", "/conditional"), "the pieces leave one by one, so there is no length")
FRAME = "status Content-Type Content-Length body"
for target in ("/list", "/generator", "/tuple", "/context?a=x", "/events", "/changed", "/conditional", "/streamed", "/length", "/none"):
    stream.case(f"GET {target}", f"GET {target}", compare=FRAME + " X-A X-B ETag cookies", differs=COUNTED.get(target))
stream.case("POST", "POST /generator", compare=FRAME)
stream.case("HEAD", "HEAD /generator", compare=FRAME)
stream.case("If-None-Match", "GET /conditional", ['If-None-Match: "t"'], compare=FRAME)
stream.case("If-Match", "GET /conditional", ['If-Match: "u"'], compare="status")
stream.case("a range", "GET /conditional", ["Range: bytes=1-2"], compare=FRAME + " Content-Range", differs=COUNTED["/conditional"])
