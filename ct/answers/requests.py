"""Requests: percent escapes, forms, JSON in other encodings, headers, authorization."""

import gzip
import zlib

from .table import Group, multipart

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
MULTIPART = "Content-Type: multipart/form-data; boundary=b"

COOKIE = "a cookie in UTF-8 is read as such; Flask reads each byte as a character of Latin-1"
ESCAPE_OF_A_PATH = "an escape that is no UTF-8 stays in the path, as it does in a query; Flask replaces it by U+FFFD"

text = Group("text")
text.view("/path/<path:rest>", python="return jsonify([rest, request.path])", rhai="jsonify([rest, request.path])")
text.view("/one/<name>", python="return name", rhai="name")
text.view("/query", python="return jsonify([[k, v] for k, v in request.args.lists()])", rhai="jsonify(request.args.lists())")
text.view("/raw", python="return request.query_string.decode()", rhai="request.query_string")
text.view("/url/<path:rest>", python="return jsonify([request.url, request.base_url, request.full_path])", rhai="jsonify([request.url, request.base_url, request.full_path])")
text.view("/get", python='return jsonify([request.args.get("n"), request.args.getlist("n")])', rhai='jsonify([request.args.get("n"), request.args.getlist("n")])')
text.view("/typed", python='return jsonify([request.args.get("n", 7, type=int), request.args.getlist("n", type=int)])', rhai='jsonify([request.args.get("n", 7, "int"), request.args.getlist("n", "int")])')
text.view("/need", python='return request.args["n"]', rhai='request.args["n"]')
text.view("/cookie", python="return jsonify([[k, v] for k, v in request.cookies.items()])", rhai="jsonify(request.cookies.items())")
text.view("/form", python="return jsonify([[k, v] for k, v in request.form.lists()])", rhai="jsonify(request.form.lists())", methods="POST PUT")
text.view("/values", python="return jsonify([[k, v] for k, v in request.values.lists()])", rhai="jsonify(request.values.lists())", methods="POST GET")

for name, path in [
    ("a blank", "/a%20b"),
    ("a plus sign", "/a+b"),
    ("an encoded plus sign", "/a%2Bb"),
    ("UTF-8", "/%C3%BC"),
    ("an encoded slash", "/a%2Fb"),
    ("an encoded percent sign", "/a%2541"),
    ("a question mark", "/a%3Fb"),
    ("a semicolon", "/a;b=1"),
    ("an escape without digits", "/a%zz"),
    ("an escape that is cut", "/a%4"),
]:
    text.case(f"{name} in the path", f"GET /path{path}")
for name, path in [("an undecodable escape", "/a%FFb"), ("half a character", "/a%C3"), ("a surrogate", "/%ED%A0%80")]:
    text.case(f"{name} in the path", f"GET /path{path}", differs=ESCAPE_OF_A_PATH)
text.case("an encoded slash for a variable without slashes", "GET /one/a%2Fb", compare="status")
text.case("an encoded name of the rule", "GET /%6Fne/x")
text.case("the URL of an encoded path", "GET /url/a%20b%C3%BC?x=%C3%BC+1")
text.case("the URL with an undecodable query", "GET /url/a?x=%FF")
for name, query in [
    ("plain", "a=1&b=2&a=3"),
    ("plus signs", "a=1+2%2B3"),
    ("UTF-8", "a=%C3%BC"),
    ("an undecodable escape", "a=%FFb&%FE=c"),
    ("half a character", "a=x%C3"),
    ("an undecodable escape behind a good one", "a=%C3%BC%FF"),
    ("an escape without digits", "a=%zz&b=%4"),
    ("empty values", "a=&b&=c"),
    ("semicolons", "a=1;b=2"),
    ("an encoded ampersand", "a=1%262&b=%3D"),
    ("doubled ampersands", "&&a=1&&"),
    ("a NUL", "a=%00b"),
]:
    text.case(f"{name} in the query", f"GET /query?{query}")
text.case("the query as sent", "GET /raw?a=%FF+%20b")
text.case("the first of several values", "GET /get?n=1&n=2")
text.case("no value", "GET /get")
text.case("values that are numbers", "GET /typed?n=x&n=2&n=3")
text.case("a missing value", "GET /need", compare="status page")
for name, cookie in [
    ("plain", "a=1; b=2"),
    ("quoted", 'a="x y"; b="1\\0542"'),
    ("with an escape", "a=%FF; b=%C3%BC"),
    ("of one name twice", "a=1; a=2"),
    ("without a value", "a; b="),
    ("with commas and equals signs", "a=1,2; b=x=y"),
]:
    text.case(f"a cookie {name}", "GET /cookie", [f"Cookie: {cookie}"])
text.case("a cookie in UTF-8", "GET /cookie", ["Cookie: a=ü".encode()], differs=COOKIE)
text.case("a cookie in Latin-1", "GET /cookie", [b"Cookie: a=\xfc"])
for name, body in [
    ("plain", "a=1&b=2&a=3"),
    ("plus signs", "a=1+2%2B3"),
    ("an undecodable escape", "a=%FFb"),
    ("an escape without digits", "a=%zz"),
    ("UTF-8 as it is", "a=ü".encode()),
]:
    text.case(f"{name} in a form", "POST /form", [FORM], body=body)
text.case("Latin-1 as it is in a form", "POST /form", [FORM], body=b"a=1&b=\xfc", differs="Flask loses all fields for one byte; here it is U+FFFD")
text.case("a form with a charset", "POST /form", [FORM + "; charset=latin-1"], body="a=%FC")
text.case("a form with PUT", "PUT /form", [FORM], body="a=1")
text.case("values of query and form", "POST /values?a=1&b=2", [FORM], body="a=3&c=4")
text.case("values of GET", "GET /values?a=1", [FORM], body="a=3")

body = Group("body")
body.view("/json", python="return jsonify(request.json)", rhai="jsonify(request.json)", methods="POST")
body.view("/silent", python="return jsonify(request.get_json(silent=True))", rhai="jsonify(request.get_json(#{ silent: true }))", methods="POST")
body.view("/force", python="return jsonify(request.get_json(force=True))", rhai="jsonify(request.get_json(#{ force: true }))", methods="POST")
body.view("/data", python="return jsonify(len(request.data))", rhai="jsonify(request.data.len())", methods="POST")
body.view("/form", python="return jsonify([[k, v] for k, v in request.form.lists()])", rhai="jsonify(request.form.lists())", methods="POST")
body.view(
    "/files",
    python="return jsonify([[f.name, f.filename, f.content_type, f.read().decode()] for _, l in request.files.lists() for f in l])",
    rhai="""let all = [];
for pair in request.files.lists() { for f in pair[1] { all.push([f.name, f.filename, f.content_type, f.text()]); } }
jsonify(all)""",
    methods="POST",
)

DECODED = "Flask leaves Content-Encoding to the server in front; here scripts see the decoded body"
NO_JSON = "`request.json` of another type is `()`, as in Flask 2.0, for which provisions were written"
VALUE = '{"a": "ü€😀"}'
for name, encoded in [
    ("UTF-8", VALUE.encode()),
    ("UTF-8 with BOM", b"\xef\xbb\xbf" + VALUE.encode()),
    ("UTF-16 LE", VALUE.encode("utf-16-le")),
    ("UTF-16 BE", VALUE.encode("utf-16-be")),
    ("UTF-16 with BOM", VALUE.encode("utf-16")),
    ("UTF-16 BE with BOM", b"\xfe\xff" + VALUE.encode("utf-16-be")),
    ("UTF-32 LE", VALUE.encode("utf-32-le")),
    ("UTF-32 BE", VALUE.encode("utf-32-be")),
    ("UTF-32 with BOM", VALUE.encode("utf-32")),
    ("UTF-32 BE with BOM", b"\x00\x00\xfe\xff" + VALUE.encode("utf-32-be")),
]:
    body.case(f"JSON in {name}", "POST /json", [JSON], body=encoded, compare="status json")
body.case("one digit in UTF-16", "POST /json", [JSON], body="7".encode("utf-16-le"), compare="status json")
body.case("JSON in Latin-1", "POST /json", [JSON], body=b'"\xfc"', compare="status Content-Type")
body.case("JSON that is cut", "POST /json", [JSON], body='{"a": ', compare="status Content-Type")
body.case("JSON of no bytes", "POST /json", [JSON], compare="status")
body.case("JSON of another type", "POST /json", ["Content-Type: text/plain"], body="{}", compare="status", differs=NO_JSON)
body.case("JSON without a type", "POST /json", body="{}", compare="status", differs=NO_JSON)
body.case("JSON of a suffix", "POST /json", ["Content-Type: application/vnd.a+json; charset=utf-8"], body="[1]")
body.case("JSON, silent", "POST /silent", [JSON], body="{")
body.case("JSON of another type, silent", "POST /silent", ["Content-Type: text/plain"], body="{}")
body.case("JSON, forced", "POST /force", ["Content-Type: text/plain"], body="[1, 2]")
body.case("JSON, NaN", "POST /json", [JSON], body="NaN", compare="status", differs="NaN is no JSON (RFC 8259): 400")
body.case(
    "gzip", "POST /json", [JSON, "Content-Encoding: gzip"], body=gzip.compress(b'{"a": 1}', mtime=0), compare="status json", differs=DECODED
)  # fmt: skip
body.case(
    "deflate", "POST /json", [JSON, "Content-Encoding: deflate"], body=zlib.compress(b'{"a": 1}'), compare="status json", differs=DECODED
)
body.case(
    "gzip twice", "POST /data", ["Content-Type: text/plain", "Content-Encoding: gzip, gzip"], body=gzip.compress(gzip.compress(b"12345", mtime=0), mtime=0),
    differs=DECODED,
)  # fmt: skip
body.case("a gzip that is none", "POST /json", [JSON, "Content-Encoding: gzip"], body="no gzip", compare="status")
body.case("identity", "POST /json", [JSON, "Content-Encoding: identity"], body='{"a": 1}', compare="status json")
body.case("a coding that is unknown", "POST /data", ["Content-Type: text/plain", "Content-Encoding: br"], body="12345")
PART = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="f"; '
for name, parts in [
    ("a field", [(PART, b"1")]),
    ("two fields of one name", [(PART, b"1"), (PART, b"2")]),
    ("a field in UTF-8", [(PART, "ü".encode())]),
    ("a field with a charset", [(PART + b"\r\nContent-Type: text/plain; charset=iso-8859-1", b"\xfc")]),
    ("a field in a charset that is unknown", [(PART + b"\r\nContent-Type: text/plain; charset=none", b"\xfc")]),
    ("a field with an undecodable byte", [(PART, b"\xfc")]),
    ("a field with lines", [(PART, b"1\r\n2\n")]),
    ("a name with an escape", [(b'Content-Disposition: form-data; name="a%22b"', b"1")]),
]:
    body.case(f"multipart, {name}", "POST /form", [MULTIPART], body=multipart(*parts))
for name, parts in [
    ("plain", [(FILE + b'filename="x.txt"\r\nContent-Type: text/plain', b"content")]),
    ("with %22", [(FILE + b'filename="a%22b.txt"', b"1")]),
    ("with other escapes", [(FILE + b'filename="a%20%0D%C3.txt"', b"1")]),
    ("with a backslash", [(FILE + b'filename="a\\"b.txt"', b"1")]),
    ("in UTF-8", [(FILE + 'filename="ü.txt"'.encode(), b"1")]),
    ("as filename*", [(FILE + b"filename*=UTF-8''%C3%BC.txt", b"1")]),
    ("as filename and filename*", [(FILE + b"filename=\"u.txt\"; filename*=UTF-8''%C3%BC.txt", b"1")]),
    ("as filename* in Latin-1", [(FILE + b"filename*=iso-8859-1''%FC.txt", b"1")]),
    ("as filename* in pieces", [(FILE + b"filename*0=a; filename*1=b.txt", b"1")]),
    ("of no characters", [(FILE + b'filename=""', b"")]),
]:
    body.case(f"a file name {name}", "POST /files", [MULTIPART], body=multipart(*parts))
body.case(
    "a file name with a path of Windows", "POST /files", [MULTIPART], body=multipart((FILE + b'filename="C:\\dir\\a.txt"', b"1")),
    differs="Flask 3 takes the backslashes for escapes; Flask 2.0 kept them, as here",
)  # fmt: skip

head = Group("header")
head.view("/agent", python='return jsonify([request.user_agent.string, request.headers.get("X-A")])', rhai='jsonify([request.user_agent, request.headers.get("X-A")])')
head.view("/back", python='r = make_response("x")\nr.headers["X-B"] = request.headers["X-A"]\nreturn r', rhai='let r = make_response("x");\nr.headers["X-B"] = request.headers["X-A"];\nr')
head.view("/own", python='r = make_response("x")\nr.headers["X-B"] = "café"\nreturn r', rhai='let r = make_response("x");\nr.headers["X-B"] = "café";\nr')
head.view("/lines", python='return "x", 200, {"X-B": ["1", "2"]}', rhai='["x", 200, #{ "X-B": ["1", "2"] }]')
head.view(
    "/auth",
    python="a = request.authorization\nreturn jsonify(None if a is None else [a.type, a.username, a.password] if a.type == 'basic' else [a.type, a.token] if a.token else [a.type, a.parameters])",
    rhai="""let a = request.authorization;
if a == () { return jsonify(()); }
if a.type == "basic" { return jsonify([a.type, a.username, a.password]); }
if a.type == "bearer" { return jsonify([a.type, a.token]); }
let rest = a; rest.remove("type"); jsonify([a.type, rest])""",
)
head.view("/host", python="return jsonify([request.host, request.url, request.is_secure, request.remote_addr])", rhai="jsonify([request.host, request.url, request.is_secure, request.remote_addr])")
head.view("/accept", python='return jsonify([request.accept_mimetypes.best_match(["text/html", "application/json"]), request.accept_mimetypes.accept_json])', rhai='jsonify([request.accept_mimetypes.best_match(["text/html", "application/json"]), request.accept_mimetypes.accept_json])')
head.view("/type", python="return jsonify([request.mimetype, request.mimetype_params, request.content_length, request.is_json])", rhai="jsonify([request.mimetype, request.mimetype_params, request.content_length, request.is_json])", methods="POST")

head.case("in Latin-1, read", "GET /agent", [b"X-A: caf\xe9"])
head.case("in UTF-8, read", "GET /agent", [b"X-A: caf\xc3\xa9"])
head.case("in Latin-1, sent back", "GET /back", [b"X-A: caf\xe9"], compare="status X-B")
head.case("in UTF-8, sent back", "GET /back", [b"X-A: caf\xc3\xa9"], compare="status X-B")
head.case("of a script with é", "GET /own", compare="status X-B")
head.case("of a list", "GET /lines", compare="status X-B")
head.case("twice", "GET /agent", ["X-A: 1", "x-a: 2"])
head.case("empty", "GET /agent", ["X-A:", "User-Agent:"])
head.case("without Host's port", "GET /host", ["Host: a.example"])
head.case("Host with port 80", "GET /host", ["Host: a.example:80"])
head.case("Host with an IPv6 address", "GET /host", ["Host: [::1]:8000"])
for name, value in [
    ("basic", "Basic YW5uOnNlOmNyZXQ="),
    ("basic in capitals", "BASIC YW5uOnNlY3JldA=="),
    ("basic in UTF-8", "Basic w7w6w7Y="),
    ("basic without a colon", "Basic YW5u"),
    ("basic that is no base64", "Basic !!!"),
    ("bearer", "Bearer abc.def=="),
    ("digest", 'Digest username="ann", realm="a, b", nonce=x, nc=00000001'),
    ("without parameters", "Basic"),
]:
    no_colon = "as in Flask 2.0, credentials without a colon are none (RFC 7617)" if "without" in name else None
    head.case(f"Authorization {name}", "GET /auth", [f"Authorization: {value}"], differs=no_colon)
head.case("Accept with qualities", "GET /accept", ["Accept: text/*;q=0.5, application/json"])
head.case("Accept of all", "GET /accept", ["Accept: */*"])
head.case("no Accept", "GET /accept")
head.case("Content-Type with parameters", "POST /type", ['Content-Type: Text/Plain; Charset="UTF-8"; a=b'], body="x")
head.case("no Content-Type", "POST /type", body="x")
