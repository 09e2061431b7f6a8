#!/usr/bin/python3
"""openapi.py FILE ROUTES: hold an OpenAPI description to the route table and to a running server.

ROUTES has "METHOD PATTERN" a line. URL, TOKEN, ADMIN_TOKEN, RUNNER_TOKEN and PROJECT are in the
environment. Prints a line per check: what was checked, a tab, what is wrong (nothing if it holds).
How the examples make up a story is told at the top of the description.
"""

import base64
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import jsonschema
import yaml

VERBS = ("get", "put", "post", "delete", "patch")
HEX_ID = re.compile(r"\b[0-9a-f]{24}\b")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")
NO_TIME = "0001-01-01T00:00:00Z"
TOKENS = {"project": "TOKEN", "admin": "ADMIN_TOKEN", "runner": "RUNNER_TOKEN"}


class Wrong(Exception):
    """What the server does is not what the description says."""


def check(name, run, *args):
    """Run one check and print its line."""
    try:
        run(*args)
        wrong = ""
    except Wrong as why:
        wrong = " ".join(str(why).split()) or "wrong"
    print(f"{name}\t{wrong}")


class Description:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.doc = yaml.safe_load(file)
        self.closed = close(self.doc)
        self.resolver = jsonschema.RefResolver("", self.closed)

    def find(self, node):
        """The node, or what its $ref names."""
        while isinstance(node, dict) and "$ref" in node:
            target = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operations(self):
        for path, item in self.doc["paths"].items():
            for verb in VERBS:
                if verb in item:
                    yield verb.upper(), path, item, item[verb]

    def validate(self, value, schema):
        """Against the schema, which has to know every member."""
        validator = jsonschema.Draft202012Validator(close(schema), resolver=self.resolver)
        for error in validator.iter_errors(value):
            raise Wrong(f"against the schema at {list(error.absolute_path)}: {error.message}")

    def steps(self):
        """Every example that is to be replayed, in the order of the story."""
        found = []
        for verb, path, item, operation in self.operations():
            for status, response in operation["responses"].items():
                for mime, media in self.find(response).get("content", {}).items():
                    for name, example in media.get("examples", {}).items():
                        found.append(Step(self, (verb, path, item, operation), (status, mime, media),
                                          name, example))
        return sorted(found, key=lambda step: step.number)


def close(node):
    """The same, with no member allowed in an object that is not described."""
    if isinstance(node, list):
        return [close(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {key: close(value) for key, value in node.items()}
    if out.get("type") == "object" and isinstance(out.get("properties"), dict):
        out.setdefault("additionalProperties", False)
    return out


class Names:
    """Which of the server's ids an id of the story stands for."""

    def __init__(self):
        self.real = {}

    def translate(self, text):
        return HEX_ID.sub(lambda match: self.real.get(match[0], match[0]), text)

    def meet(self, story, real):
        if self.real.setdefault(story, real) != real:
            raise Wrong(f"{real} is in the place of {story}, which is {self.real[story]}")


class Step:
    def __init__(self, description, operation, response, name, example):
        self.description, self.name, self.example = description, name, example
        self.verb, self.path, self.item, self.operation = operation
        self.status, self.mime, self.media = response
        self.number = example["x-step"]

    def title(self):
        return f"step {self.number}: {self.verb} {self.path}, {self.name}: {self.status}"

    # ---- the request

    def parameters(self, where):
        """Those with a value for this step: the example of its name; a path's also its general one."""
        both = self.item.get("parameters", []) + self.operation.get("parameters", [])
        for parameter in map(self.description.find, both):
            if parameter["in"] != where:
                continue
            named = parameter.get("examples", {}).get(self.name)
            if named or where == "path":
                yield parameter["name"], str(named["value"] if named else parameter["example"])

    def url(self):
        path = self.path
        for name, value in self.parameters("path"):
            path = path.replace("{" + name + "}", value)
        query = urllib.parse.urlencode(list(self.parameters("query")))
        return path + ("?" + query if query else "")

    def request_example(self):
        """The request example of the same name and its type, or nothing."""
        for mime, media in self.operation.get("requestBody", {}).get("content", {}).items():
            if self.name in media.get("examples", {}):
                return mime, media["examples"][self.name]
        return None, None

    def send(self, names):
        body, headers = None, dict(self.parameters("header"))
        mime, example = self.request_example()
        if example:
            headers["Content-Type"], body = encode(mime, example, names)
        security = self.operation.get("security", self.description.doc["security"])
        if security:
            headers["Authorization"] = "OAuth " + os.environ[TOKENS[next(iter(security[0]))]]
        url = os.environ["URL"] + names.translate(self.url())
        request = urllib.request.Request(url, body, headers, method=self.verb)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    # ---- the answer

    def replay(self, names):
        status, headers, body = self.send(names)
        if str(status) != self.status:
            raise Wrong(f"the status is {status}: {body[:300]!r}")
        if headers.get_content_type() != self.mime:
            raise Wrong(f"the type is {headers.get_content_type()}")
        varies = self.example.get("x-varies", [])
        if self.mime == "application/json":
            value = json.loads(body)
            self.description.validate(value, self.media["schema"])
            compare(self.example["value"], value, varies, names, "")
        elif varies is not True:
            want = self.example["value"]
            want = base64.b64decode(want) if is_base64(self.example) else want.encode()
            if body != want:
                raise Wrong(f"the body is {body[:300]!r}")
        elif not body:
            raise Wrong("the body is empty")


def is_base64(example):
    return example.get("x-base64") is True


def encode(mime, example, names):
    """A request example as a Content-Type and a body, with the server's ids in it."""
    value = example["value"]
    if mime == "multipart/form-data":
        return f"{mime}; boundary=story", multipart(value, example.get("x-base64", []))
    if is_base64(example):
        return mime, base64.b64decode(value)
    if mime == "application/json":
        value = json.dumps(value)
    elif mime == "application/x-www-form-urlencoded":
        value = urllib.parse.urlencode(value)
    return mime, names.translate(value).encode()


def multipart(parts, in_base64):
    out = b""
    for name, value in parts.items():
        file = '; filename="package.zip"' if name in in_base64 else ""
        data = base64.b64decode(value) if name in in_base64 else value.encode()
        out += f'--story\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        out += data + b"\r\n"
    return out + b"--story--\r\n"


def compare(story, real, varies, names, where):
    """The answer is the example: ids by their places, times by their form, the rest to the letter."""
    if isinstance(story, dict) and isinstance(real, dict):
        if set(story) != set(real):
            raise Wrong(f"{where or 'it'} has the members {sorted(real)}, want {sorted(story)}")
        for key, value in story.items():
            if key not in varies:
                compare(value, real[key], varies, names, f"{where}.{key}")
    elif isinstance(story, list) and isinstance(real, list):
        if len(story) != len(real):
            raise Wrong(f"{where} has {len(real)} elements, want {len(story)}")
        for i, (left, right) in enumerate(zip(story, real)):
            compare(left, right, varies, names, f"{where}[{i}]")
    elif isinstance(story, str) and isinstance(real, str) and HEX_ID.fullmatch(story):
        names.meet(story, real)
    elif isinstance(story, str) and TIME.match(story) and story != NO_TIME:
        if not TIME.match(str(real)) or real == NO_TIME:
            raise Wrong(f"{where} is {real!r}, want a time")
    elif type(story) is not type(real) or story != real:
        raise Wrong(f"{where} is {real!r}, want {story!r}")


def agree(described, table):
    if described != table:
        raise Wrong(f"described alone: {sorted(described - table)}; in the table alone: {sorted(table - described)}")


def examples_used(operation):
    """Every request example has an answer, and every operation one that worked."""
    answers = {(status, name)
               for status, response in operation["responses"].items()
               for media in response.get("content", {}).values()
               for name in media.get("examples", {})}
    if not any(status == "200" for status, _ in answers):
        raise Wrong("it has no example of an answer with 200")
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for name in media.get("examples", {}):
            if name not in {answered for _, answered in answers}:
                raise Wrong(f"the request example {name} has no answer")


def main():
    description = Description(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        table = set(file.read().splitlines())
    operations = list(description.operations())
    check("the description and the route table have the same routes", agree,
          {f"{verb} {path}" for verb, path, _, _ in operations}, table)
    for verb, path, _, operation in operations:
        check(f"{verb} {path} has examples", examples_used, operation)

    names = Names()
    names.real["6b0186478744f472a608fb4f"] = os.environ["PROJECT"]
    for step in description.steps():
        check(step.title(), step.replay, names)


main()
