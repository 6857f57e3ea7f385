"""Runs scripts of changes and questions on the model of the order of children (fixtures/pvm/order_model.py).

Standard input: a list of scripts, each a list of [word, arguments...]. Paths are lists of names, contents hexadecimal digits.
Standard output: for each script a list with the answer of each line, null where there is none.
"""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "fixtures", "pvm"))
import order_model as model


def put(root, path, what):
    return model.put1(root, path, what)[1]


def run(script):
    root, saved, answers = model.N("M"), {}, []
    for word, *rest in script:
        answer = None
        if word == "put":
            root = put(root, rest[0], bytes.fromhex(rest[1]))
        elif word == "remove":
            root = model.rm(root, rest[0])
        elif word in ("copy", "move"):
            what = model.get(root, rest[0])
            if what is not None:
                if word == "move":
                    root = model.rm(root, rest[0])
                root = put(root, rest[1], what)
        elif word == "commit":
            root = model.N("C", model.content(root))
        elif word == "save":
            saved[rest[0]] = root
        elif word == "load":
            root = saved.get(rest[0], root)
        elif word in ("list", "length", "hash"):
            node = model.get(root, rest[0])
            if isinstance(node, model.N):
                if word == "list":
                    names, trie = node.list()
                    answer = [trie, [[name, isinstance(node.find(name), model.N)] for name in names]]
                elif word == "length":
                    answer = node.length()
                else:
                    answer = node.hash().hex()
        elif word == "find":
            found = model.get(root, rest[0])
            answer = found.hex() if isinstance(found, bytes) else None
        answers.append(answer)
    return answers


json.dump([run(script) for script in json.load(sys.stdin)], sys.stdout)
