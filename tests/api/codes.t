#!/usr/bin/env bash
# Uploads in every encoding that clients use, and every way to get one wrong.
. "$(dirname "$0")/../lib.sh"
start_server

printf 'print("hello")\n' >"$TMP/hello.py"
(cd "$TMP" && zip -q good.zip hello.py)
DATA='{"name":"hello","runtime":"python","file_name":"hello.py"}'

# uploaded NAME REV: checks of the last reply, and of the code it names (in $CODE).
uploaded() {
    is "$STATUS $(field .msg)" '200 Upload successful.' "$1"
    CODE=$(field .id)
    api GET "codes/$CODE"
    is "$(field .rev)" "$2" '… is a new revision'
}

# ---- encodings

api POST codes -F "data=$DATA" -F "file=@$TMP/good.zip;type=application/zip"
uploaded 'multipart, data first' 1
first=$CODE
api POST codes -F "file=@$TMP/good.zip" -F "data=$DATA"
uploaded 'multipart, file first' 2
is "$CODE" "$first" '… of the same code'
api POST codes -H 'Transfer-Encoding: chunked' -F "data=$DATA" -F "file=@$TMP/good.zip"
uploaded 'multipart, chunked' 3
api POST codes -F "data=$DATA" -F "more=1" -F "file=@$TMP/good.zip;filename=/tmp/a/b c.zip"
uploaded 'a part that nobody knows, a path for a file name' 4
{
    printf -- '--12345\n'
    printf 'Content-Disposition: form-data; name="data"\n\n%s\n' "$DATA"
    printf -- '--12345\nContent-Disposition: form-data; name="file"; filename="f"\n\n'
    cat "$TMP/good.zip"
    printf '\n--12345--'
} >"$TMP/lf"
api POST codes -H 'Content-Type: multipart/form-data; boundary=12345' --data-binary "@$TMP/lf"
uploaded 'line feeds alone, no line end at the end' 5
api POST codes -H 'Content-Type: application/x-www-form-urlencoded' \
    --data-urlencode "data={\"name\":\"form\",\"image\":\"busybox\",\"command\":\"echo a+b & c\"}" -d 'file='
uploaded 'a form' 1
is "$(field .command)" 'echo a+b & c' '… decoded'
api POST codes -d '{"name":"plain","image":"busybox","config":{"a":1}}'
uploaded 'plain JSON' 1
is "$(field .config)" '{"a":1}' '… a config object becomes its text'
api POST codes -H 'Content-Type: application/x-www-form-urlencoded' -d '{"name":"plain","image":"busybox"}'
uploaded 'plain JSON under the type that curl sends' 2
api POST codes -F 'data={"name":"plain","image":"busybox"}' -F 'file=;type=text/plain'
uploaded 'a form whose file was not chosen' 3

# ---- options alone

api POST codes -d '{"name":"hello","max_concurrency":7,"retries":2,"retries_delay":30.0,"default_priority":-1000}'
is "$STATUS" 200 'options alone are taken'
api GET "codes/$first"
is "$(field '"\(.rev) \(.max_concurrency) \(.retries) \(.retries_delay)"')" '5 7 2 30' \
    '… and make no revision'

# ---- reading

api GET codes
is "$(field 'keys | join(" ")')" codes 'R4: a list has one key'
is "$(field '.codes | map(.name) | sort | join(" ")')" 'form hello plain' '… and every code'
api GET 'codes?per_page=1&page=1'
is "$(field '.codes | length')" 1 '… in pages'
api GET "codes/$first/revisions"
is "$(field '.revisions | map(.rev) | sort | map(tostring) | join(" ")')" '1 2 3 4 5' 'revisions are listed'
like "$(field '.revisions[0].id')" '^[0-9a-f]{24}$' '… with ids'
api GET "codes/$first/download"
is "$STATUS" 200 'a package can be had back'
ok '… as it was' cmp -s "$TMP/body" "$TMP/good.zip"
like "$(<"$TMP/headers")" 'Content-Type: application/zip' '… as a zip'
like "$(<"$TMP/headers")" 'filename=hello_5\.zip' '… named by code and revision'
api GET "codes/$first/download?revision=2"
like "$(<"$TMP/headers")" 'filename=hello_2\.zip' '… of an older revision too'
api GET "codes/$first/download?revision=9"
is "$STATUS" 404 '… of none that there is not'
api GET "codes/$CODE/download"
is "$STATUS" 404 'a code of an image has no package'
api GET codes/000000000000000000000000
is "$STATUS" 404 'an unknown code'
is "$(find "$SERVER_DIR/packages" -name '*.zip' | wc -l)" 1 'equal packages are one file'

# ---- refusals: STATUS, REGEX, NAME

refused() {
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says why'
}
bad_zip() { # FILE REGEX NAME
    api POST codes -F "data=$DATA" -F "file=@$1"
    refused 400 "$2" "$3"
}
: >"$TMP/empty"
bad_zip "$TMP/empty" 'empty' 'a package of no bytes'
head -c 3000 /dev/urandom >"$TMP/noise"
bad_zip "$TMP/noise" 'zip' 'a package that is no zip'
head -c $(($(stat -c %s "$TMP/good.zip") - 30)) "$TMP/good.zip" >"$TMP/cut.zip"
bad_zip "$TMP/cut.zip" '' 'a zip that was cut off'
printf 'PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >"$TMP/none.zip"
bad_zip "$TMP/none.zip" '' 'a zip without files'
cat >"$TMP/mk.py" <<'PY'
import sys, zipfile
def one(path, name, data=b"x", attr=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        i = zipfile.ZipInfo(name)
        i.compress_type = zipfile.ZIP_DEFLATED
        if attr is not None:
            i.external_attr = attr << 16
        z.writestr(i, data)
t = sys.argv[1]
one(t + "/up.zip", "../evil")
one(t + "/root.zip", "/etc/evil")
one(t + "/link.zip", "link", b"/etc/passwd", 0o120777)
one(t + "/bomb.zip", "zeros", b"\0" * (64 << 20))
PY
python3 "$TMP/mk.py" "$TMP" || bail 'cannot make the zips'
bad_zip "$TMP/up.zip" '\.\.' 'a zip that points upwards'
bad_zip "$TMP/root.zip" 'evil' 'a zip that points to the root'
bad_zip "$TMP/link.zip" 'link' 'a zip with a link'
api POST codes -F "data=$DATA" -F "file=@$TMP/bomb.zip"
like "$STATUS" '^4(00|13)$' 'a bomb'
like "$BODY" 'limit|unpack' '… and says why'

api POST codes -F "file=@$TMP/good.zip"
refused 406 'data is required' 'an upload without data'
api POST codes -F 'data={"name":' -F "file=@$TMP/good.zip"
refused 400 'data' 'data that is broken JSON'
api POST codes -F 'data=[]' -F "file=@$TMP/good.zip"
refused 400 'object' 'data that is no object'
api POST codes -F 'data={"file_name":"x"}' -F "file=@$TMP/good.zip"
refused 406 'name' 'data without a name'
api POST codes -d '{"name":7,"image":"x"}'
refused 400 'name' 'a name of a wrong type'
api POST codes -d '{"name":"nobody","max_concurrency":1}'
like "$STATUS" '^4' 'options of a code that is not there'
api POST codes -d '{"name":"x","image":"x","retries":11}'
refused 400 'retries' 'more retries than ten'
api POST codes -F 'data={"name":"x"}' -F "file=@$TMP/good.zip"
refused 406 'command or a file_name' 'a package that nothing says how to run'
api POST codes -H 'Content-Type: multipart/form-data' -d x
refused 400 'boundary' 'multipart without a boundary'
api POST codes -H 'Content-Type: multipart/form-data; boundary=zzz' --data-binary "@$TMP/lf"
refused 400 'boundary' 'multipart with another boundary than announced'
head -c 200 "$TMP/lf" >"$TMP/short"
api POST codes -H 'Content-Type: multipart/form-data; boundary=12345' --data-binary "@$TMP/short"
refused 400 'last boundary' 'multipart that ends early'
api GET "codes/$first"
is "$(field .rev)" 5 'none of these made a revision'
is "$(find "$SERVER_DIR/tmp" -type f | wc -l)" 0 '… or left a file behind'
is "$(find "$SERVER_DIR/packages" -name '*.zip' | wc -l)" 1 '… or a package'

# ---- stacks

AUTH="OAuth $RUNNER_TOKEN" api POST /runner/1/register \
    -d '{"runner":"r","cluster":"default","version":"1","slots":1,"stacks":["sh","python"],"engine_version":"1"}'
is "$STATUS" 200 'a runner tells its stacks'
AUTH="OAuth $RUNNER_TOKEN" api POST /runner/1/register \
    -d '{"runner":"s","cluster":"default","version":"1","slots":1,"stacks":["sh","node"],"engine_version":"1"}'
api GET /2/stacks
is "$BODY" '["node","python","sh"]' 'the stacks of all runners, as a bare array'
api POST codes -F 'data={"name":"s","stack":"cobol","file_name":"hello.py"}' -F "file=@$TMP/good.zip"
refused 400 'cobol.*node, python, sh' 'an unknown stack'
api POST codes -F 'data={"name":"s","stack":"sh","file_name":"hello.py"}' -F "file=@$TMP/good.zip"
uploaded 'a known stack' 1

AUTH="OAuth $RUNNER_TOKEN" api POST /runner/1/register \
    -d '{"runner":"t","cluster":"default","version":"1","slots":1,"stacks":["classic","ruby-3.1"],"engine_version":"1"}'
api POST codes -F 'data={"name":"s","stack":"ffmpeg-2.3","file_name":"hello.py"}' -F "file=@$TMP/good.zip"
refused 400 'ffmpeg-2\.3.*classic, node, python, ruby-3\.1, sh' 'a stack of old that nothing took the place of'
api POST codes -F 'data={"name":"s","stack":"ruby-2.1","file_name":"hello.py"}' -F "file=@$TMP/good.zip"
uploaded 'one that another took the place of' 2
api POST codes -F 'data={"name":"s","runtime":"java","file_name":"hello.jar"}' -F "file=@$TMP/good.zip"
refused 400 'java.*python' 'a runtime that no stack has'
api POST codes -F 'data={"name":"s","runtime":"cobol","file_name":"hello.cob"}' -F "file=@$TMP/good.zip"
refused 400 'cobol.*python' 'a runtime that nobody knows'

# ---- delete

queue_task hello
api DELETE "codes/$first" -H 'Content-Type: application/json' -d '{}'
is "$STATUS $BODY" '200 {"msg":"Deleted"}' 'a code is deleted'
api GET "codes/$first"
is "$STATUS" 404 '… and gone'
api GET "tasks/$TASK"
is "$(field .status)" cancelled '… its queued task is cancelled'
api POST tasks -d '{"tasks":[{"code_name":"hello"}]}'
like "$STATUS" '^4' '… and it takes no further one'
api POST codes -F "data=$DATA" -F "file=@$TMP/good.zip"
uploaded 'the same name again' 1
isnt "$CODE" "$first" '… is another code'
done_testing
