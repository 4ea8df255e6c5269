"""`send_file` and `send_from_directory`: types, ranges, conditional requests, names of downloads."""

import mimetypes

from .table import Group

# Sunday, 06 Nov 1994 08:49:37 GMT.
MODIFIED = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sat, 05 Nov 1994 08:49:37 GMT"
LATER = "Mon, 07 Nov 1994 08:49:37 GMT"

FILES = {
    "ten.txt": b"0123456789",
    "big.bin": bytes(range(256)) * 512,
    "empty.txt": b"",
    "docs/page.html": b"<p>page</p>",
    "data.csv.gz": b"\x1f\x8b not really",
    "archive.tar.gz": b"\x1f\x8b not really",
    "style.css.br": b"brotli, not really",
    **{f"type.{ending}": b"x" for ending in "html css js json svg png jpg pdf xml csv md txt wasm mjs woff2 avif xhtml unknown ico webp mp4".split()},
}

MULTIPLE = "Flask answers 416 to more than one range; RFC 9110 14.2 allows the parts"
INVALID = "RFC 9110 14.2: a Range that is invalid or of another unit is ignored, Flask answers 416"
SUFFIX = "RFC 9110 14.1.2: a suffix longer than the file selects all of it, Flask answers 416"
ONLY_GET = "RFC 9110 14.2: Range is for GET alone"
EXACT = "RFC 9110 13.1.5: If-Range takes a strong ETag or the exact date"
MATCH = "RFC 9110 13.1.1: If-Match of all holds for any file, Flask answers 412"
UNMODIFIED = "RFC 9110 13.1.4: the file is newer than that date: 412, Flask ignores the header"
FIRST = "RFC 9110 13.2.2: conditions count before ranges"


# The types of this machine's /etc/mime.types must not count.
mimetypes.knownfiles.clear()
mimetypes.init()


def newer(ending: str) -> str | None:
    """Returns the reason why the type differs, if this Python doesn't know it."""
    known = ending == "unknown" or mimetypes.guess_type(f"x.{ending}")[0]
    if known == "application/javascript":
        return "RFC 9239 and Python 3.12 have text/javascript"
    return None if known else f"this Python has no type for .{ending}"


files = Group("file")
files.view("/file/<path:name>", python="return send_file(name)", rhai="send_file(name)")
files.view("/from/<path:name>", python='return send_from_directory("docs", name)', rhai='send_from_directory("docs", name)')
files.view("/attached/<path:name>", python="return send_file(name, as_attachment=True)", rhai="send_file(name, #{ as_attachment: true })")
files.view(
    "/named",
    python='return send_file("ten.txt", as_attachment=True, download_name=request.args["name"])',
    rhai='send_file("ten.txt", #{ as_attachment: true, download_name: request.args["name"] })',
)
files.view(
    "/inline",
    python='return send_file("ten.txt", download_name=request.args["name"])',
    rhai='send_file("ten.txt", #{ download_name: request.args["name"] })',
)
files.view("/typed", python='return send_file("ten.txt", mimetype="text/x-own")', rhai='send_file("ten.txt", #{ mimetype: "text/x-own" })')
files.view("/aged", python='return send_file("ten.txt", max_age=60)', rhai='send_file("ten.txt", #{ max_age: 60 })')
files.view("/whole", python='return send_file("ten.txt", conditional=False)', rhai='send_file("ten.txt", #{ conditional: false })')
files.view("/tagged", python='return send_file("ten.txt", etag="own")', rhai='send_file("ten.txt", #{ etag: "own" })')
files.view("/untagged", python='return send_file("ten.txt", etag=False)', rhai='send_file("ten.txt", #{ etag: false })')
files.view("/dated", python='return send_file("ten.txt", last_modified=1000000000)', rhai='send_file("ten.txt", #{ last_modified: 1000000000 })')

RANGE = "status Content-Range Content-Length Content-Type body"
files.case("whole", "GET /file/ten.txt", compare="status Content-Type Content-Length Last-Modified ETag? Accept-Ranges Content-Disposition Cache-Control body")
files.case("HEAD", "HEAD /file/ten.txt", compare="status Content-Type Content-Length Last-Modified ETag? body")
files.case("empty", "GET /file/empty.txt", compare="status Content-Length body")
files.case("missing", "GET /from/none.txt", compare="status Content-Type page")
files.case("from a folder", "GET /from/page.html", compare="status Content-Type Content-Disposition body")
files.case("outside of a folder", "GET /from/../ten.txt", compare="status")
files.case("outside of a folder, encoded", "GET /from/%2e%2e/ten.txt", compare="status")
for ending in "html css js json svg png jpg pdf xml csv txt unknown ico mp4 wasm mjs woff2 avif xhtml webp md".split():
    files.case(f"type of .{ending}", f"GET /file/type.{ending}", compare="status Content-Type", differs=newer(ending))
files.case("type of .csv.gz", "GET /file/data.csv.gz", compare="status Content-Type Content-Encoding Content-Length")
files.case("type of .tar.gz", "GET /file/archive.tar.gz", compare="status Content-Type Content-Encoding")
files.case("type of .css.br", "GET /file/style.css.br", compare="status Content-Type Content-Encoding")
files.case("an attachment .csv.gz", "GET /attached/data.csv.gz", compare="status Content-Type Content-Encoding Content-Disposition")
files.case("a type of its own", "GET /typed", compare="status Content-Type")
files.case("max_age", "GET /aged", compare="status Cache-Control Expires?")
files.case("conditional=False and Range", "GET /whole", ["Range: bytes=0-3"], compare=RANGE)
files.case("an ETag of its own", "GET /tagged", compare="status ETag")
files.case("an ETag of its own, If-None-Match", "GET /tagged", ['If-None-Match: "own"'], compare="status ETag body")
files.case("without ETag", "GET /untagged", compare="status ETag Last-Modified")
files.case("a last_modified of its own", "GET /dated", compare="status Last-Modified")

files.case("range of the first bytes", "GET /file/ten.txt", ["Range: bytes=0-3"], compare=RANGE)
files.case("range of one byte", "GET /file/ten.txt", ["Range: bytes=9-9"], compare=RANGE)
files.case("range without an end", "GET /file/ten.txt", ["Range: bytes=7-"], compare=RANGE)
files.case("range of the last bytes", "GET /file/ten.txt", ["Range: bytes=-3"], compare=RANGE)
files.case("range of more last bytes than there are", "GET /file/ten.txt", ["Range: bytes=-30"], compare=RANGE, differs=SUFFIX)
files.case("range beyond the end", "GET /file/ten.txt", ["Range: bytes=5-99"], compare=RANGE)
files.case("range of the whole", "GET /file/ten.txt", ["Range: bytes=0-"], compare=RANGE)
files.case("range behind the end", "GET /file/ten.txt", ["Range: bytes=10-"], compare="status Content-Range")
files.case("range of the last 0 bytes", "GET /file/ten.txt", ["Range: bytes=-0"], compare="status Content-Range")
files.case("range of an empty file", "GET /file/empty.txt", ["Range: bytes=0-"], compare="status Content-Range Content-Length body")
files.case("range turned round", "GET /file/ten.txt", ["Range: bytes=5-2"], compare="status Content-Range", differs=INVALID)
files.case("range that is none", "GET /file/ten.txt", ["Range: bytes=x"], compare="status Content-Range", differs=INVALID)
files.case("range without a unit", "GET /file/ten.txt", ["Range: 0-3"], compare="status Content-Range", differs=INVALID)
files.case("range of another unit", "GET /file/ten.txt", ["Range: lines=0-3"], compare="status Content-Range", differs=INVALID)
files.case("range with blanks", "GET /file/ten.txt", ["Range: bytes = 0 - 3"], compare="status Content-Range")
files.case("range in capitals", "GET /file/ten.txt", ["Range: BYTES=0-3"], compare="status Content-Range")
files.case("range with a number of 30 digits", "GET /file/ten.txt", ["Range: bytes=0-" + "9" * 30], compare="status Content-Range")
files.case("two ranges", "GET /file/ten.txt", ["Range: bytes=0-1,4-5"], compare="status", differs=MULTIPLE)
files.case("two ranges, one behind the end", "GET /file/ten.txt", ["Range: bytes=0-4,20-30"], compare="status body", differs=MULTIPLE)
files.case("two ranges longer than the file", "GET /file/ten.txt", ["Range: bytes=0-9,0-9"], compare="status", differs=MULTIPLE)
files.case("two ranges behind the end", "GET /file/ten.txt", ["Range: bytes=20-30,40-"], compare="status Content-Range")
files.case("HEAD with a range", "HEAD /file/ten.txt", ["Range: bytes=0-3"], compare="status Content-Range Content-Length body", differs=ONLY_GET)
files.case("range of a large file", "GET /file/big.bin", ["Range: bytes=70000-70003"], compare=RANGE)
files.case("last bytes of a large file", "GET /file/big.bin", ["Range: bytes=-2"], compare=RANGE)
files.case("a range of .csv.gz", "GET /file/data.csv.gz", ["Range: bytes=0-1"], compare=RANGE + " Content-Encoding")

files.case("If-Range with its ETag", "GET /file/ten.txt", ["Range: bytes=0-3", "If-Range: {ETag}"], compare=RANGE)
files.case("If-Range with another ETag", "GET /file/ten.txt", ["Range: bytes=0-3", 'If-Range: "other"'], compare=RANGE)
files.case("If-Range with a weak ETag", "GET /file/ten.txt", ["Range: bytes=0-3", "If-Range: W/{ETag}"], compare=RANGE, differs=EXACT)
files.case("If-Range with its date", "GET /file/ten.txt", ["Range: bytes=0-3", f"If-Range: {DATE}"], compare=RANGE)
files.case("If-Range with an earlier date", "GET /file/ten.txt", ["Range: bytes=0-3", f"If-Range: {EARLIER}"], compare=RANGE)
files.case("If-Range with a later date", "GET /file/ten.txt", ["Range: bytes=0-3", f"If-Range: {LATER}"], compare=RANGE, differs=EXACT)
files.case("If-Range that is malformed", "GET /file/ten.txt", ["Range: bytes=0-3", "If-Range: nonsense"], compare=RANGE)

NOT_MODIFIED = "status ETag? Last-Modified Content-Type Content-Length body"
files.case("If-None-Match with its ETag", "GET /file/ten.txt", ["If-None-Match: {ETag}"], compare=NOT_MODIFIED)
files.case("If-None-Match, HEAD", "HEAD /file/ten.txt", ["If-None-Match: {ETag}"], compare=NOT_MODIFIED)
files.case("If-None-Match in a list", "GET /file/ten.txt", ['If-None-Match: "a", {ETag}, "b"'], compare=NOT_MODIFIED)
files.case("If-None-Match in two lines", "GET /file/ten.txt", ['If-None-Match: "a"', "If-None-Match: {ETag}"], compare=NOT_MODIFIED)
files.case("If-None-Match, weak", "GET /file/ten.txt", ["If-None-Match: W/{ETag}"], compare=NOT_MODIFIED)
files.case("If-None-Match of all", "GET /file/ten.txt", ["If-None-Match: *"], compare="status body")
files.case("If-None-Match of another", "GET /file/ten.txt", ['If-None-Match: "other"'], compare="status body")
files.case("If-None-Match without quotes", "GET /tagged", ["If-None-Match: own"], compare="status body")
files.case("If-Modified-Since with its date", "GET /file/ten.txt", [f"If-Modified-Since: {DATE}"], compare=NOT_MODIFIED)
files.case("If-Modified-Since later", "GET /file/ten.txt", [f"If-Modified-Since: {LATER}"], compare="status body")
files.case("If-Modified-Since earlier", "GET /file/ten.txt", [f"If-Modified-Since: {EARLIER}"], compare="status body")
files.case("If-Modified-Since, RFC 850", "GET /file/ten.txt", ["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], compare="status body")
files.case("If-Modified-Since, asctime", "GET /file/ten.txt", ["If-Modified-Since: Sun Nov  6 08:49:37 1994"], compare="status body")
files.case("If-Modified-Since that is no date", "GET /file/ten.txt", ["If-Modified-Since: yesterday"], compare="status body")
files.case("If-None-Match before If-Modified-Since", "GET /file/ten.txt", ['If-None-Match: "other"', f"If-Modified-Since: {LATER}"], compare="status body")
files.case("If-Match of another", "GET /file/ten.txt", ['If-Match: "other"'], compare="status")
files.case("If-Match with its ETag", "GET /file/ten.txt", ["If-Match: {ETag}"], compare="status body")
files.case("If-Match of all", "GET /file/ten.txt", ["If-Match: *"], compare="status body", differs=MATCH)
files.case("If-Match, weak", "GET /file/ten.txt", ["If-Match: W/{ETag}"], compare="status")
files.case("If-Unmodified-Since with its date", "GET /file/ten.txt", [f"If-Unmodified-Since: {DATE}"], compare="status body")
files.case("If-Unmodified-Since earlier", "GET /file/ten.txt", [f"If-Unmodified-Since: {EARLIER}"], compare="status", differs=UNMODIFIED)
files.case("Range before If-None-Match", "GET /file/ten.txt", ["Range: bytes=0-3", "If-None-Match: {ETag}"], compare="status", differs=FIRST)

DISPOSITION = "status Content-Disposition"
files.case("download_name", "GET /named?name=report.txt", compare=DISPOSITION)
files.case("download_name with a blank", "GET /named?name=my+report.txt", compare=DISPOSITION)
files.case("download_name with quotes", "GET /named?name=a%22b%5Cc.txt", compare=DISPOSITION)
files.case("download_name with an umlaut", "GET /named?name=%C3%BCber.txt", compare=DISPOSITION)
files.case("download_name in Chinese", "GET /named?name=%E4%B8%AD%E6%96%87.txt", compare=DISPOSITION)
files.case("download_name with reserved characters", "GET /named?name=a%3Bb%2Cc%25%28%C3%BC%29%27%2A.txt", compare=DISPOSITION)
files.case("download_name without attachment", "GET /inline?name=other.csv", compare=DISPOSITION + " Content-Type")
files.case("as_attachment", "GET /attached/ten.txt", compare=DISPOSITION)
files.case("as_attachment of a file in a folder", "GET /attached/docs/page.html", compare=DISPOSITION)
