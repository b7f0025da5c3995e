"""The mutants of a module: each is the module with one change in one place.

Annotations, docstrings, imports and what only a type checker reads stay as they are.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mutation.patterns import variations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_PAIRS = [
    ("ceil", "floor"), ("endswith", "startswith"), ("find", "rfind"),
    ("fullmatch", "match"), ("lower", "upper"), ("lstrip", "rstrip"),
    ("partition", "rpartition"), ("removeprefix", "removesuffix"),
]  # fmt: skip
_METHODS = {one: other for pair in _PAIRS for one, other in [pair, pair[::-1]]}
_BUILTINS = {"all": "any", "any": "all", "max": "min", "min": "max"}
# What is no part of what a module does when it runs.
_SKIPPED_FIELDS = {"annotation", "returns", "type_comment", "type_params"}
_SKIPPED_NAMES = {"__all__", "__slots__"}

_LONGEST_SHOWN = 70
_AROUND = 16

_Place = tuple[ast.AST, str, int | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One change in one place.

    Attributes:
        where: The qualified name of the function or class, or the name of what the
            module assigns.
        before: What stands there.
        after: What stands there instead.
        number: Which of those with the same `where`, `before` and `after`, from 1.
        line: The line in the module.
        source: Returns the text of the changed module.
    """

    where: str
    before: str
    after: str
    number: int
    line: int
    source: Callable[[], str]

    def __str__(self) -> str:
        number = f" ({self.number})" if self.number > 1 else ""
        return f"{self.where}: {self.before} -> {self.after}{number}"


def mutants_of(source: str) -> list[Mutant]:
    """Return the mutants of a module, in the order of its text."""
    tree = ast.parse(source)
    found = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for where, place, node in _places(tree, ""):
        for new in _changes(node):
            key = (where, *_difference(_shown(node), _shown(new)))
            seen[key] += 1
            found.append(
                Mutant(
                    where=where,
                    before=key[1],
                    after=key[2],
                    number=seen[key],
                    line=getattr(node, "lineno", getattr(place[0], "lineno", 0)),
                    source=lambda place=place, node=node, new=new: _text_with(
                        tree, place, node, new
                    ),
                )
            )
    return found


def _shown(node: ast.AST) -> str:
    """Return a node on one line, of what has a body only its head."""
    lines = ast.unparse(node).strip().splitlines() or [""]
    return lines[0] if hasattr(node, "body") else " ".join(map(str.strip, lines))


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return two texts; of long ones, where they differ and what is around it."""
    if max(len(before), len(after)) <= _LONGEST_SHOWN:
        return before, after
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    first, last = max(start - _AROUND, 0), max(end - _AROUND, 0)
    return before[first : len(before) - last], after[first : len(after) - last]


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    pairs = zip(one, other, strict=False)
    return next(
        (at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other))
    )


def _text_with(tree: ast.AST, place: _Place, node: ast.AST, new: ast.AST) -> str:
    _put(place, new)
    try:
        return ast.unparse(tree)
    finally:
        _put(place, node)


def _put(place: _Place, node: ast.AST) -> None:
    parent, field, index = place
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _places(node: ast.AST, where: str) -> Iterator[tuple[str, _Place, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_skipped(node, field, child):
                continue
            inner = where
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    inner = f"{where}.{child.name}".lstrip(".")
                case ast.Assign(targets=[ast.Name(id=name)]) if not where:
                    inner = name
            place = (node, field, index if isinstance(value, list) else None)
            yield inner, place, child
            yield from _places(child, inner)


def _is_skipped(parent: ast.AST, field: str, node: ast.AST) -> bool:
    if _asks_for_a_platform(parent) and field in ("test", "body"):
        return True
    match node:
        case (
            ast.Import()
            | ast.ImportFrom()
            | ast.expr_context()
            | ast.Expr(value=ast.Constant())  # a docstring
            | ast.If(test=ast.Name(id="TYPE_CHECKING"))
        ):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _SKIPPED_NAMES
        case ast.Constant():  # a pattern, or a piece of an f-string
            return _is_pattern(parent) or isinstance(parent, ast.JoinedStr)
        case ast.JoinedStr():
            return _is_pattern(parent) or field == "format_spec"
    return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912, PLR0915 - a table
    """Yield what may stand in the place of a node."""
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                other = _COMPARISONS[type(op)]()
                yield _with(node, ops=[*ops[:index], other, *ops[index + 1 :]])
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield left
            yield right
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            if type(op) in _ARITHMETIC:
                yield _with(node, op=_ARITHMETIC[type(op)]())
            if isinstance(node, ast.AugAssign):
                yield ast.Pass()
        case ast.IfExp(body=body, orelse=orelse):
            yield _with(node, body=orelse, orelse=body)
        case ast.If() if _asks_for_a_platform(node):
            pass
        case ast.If(test=test) | ast.While(test=test):
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                yield _with(node, test=ast.UnaryOp(ast.Not(), test))
            yield _with(node, test=ast.Constant(value=False))
        case ast.Constant(value=value):
            yield from (ast.Constant(each) for each in _constants(value))
        case ast.JoinedStr():
            yield ast.Constant("")
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield _with(node, value=ast.Constant(None))
        case ast.Lambda(body=body):
            if not (isinstance(body, ast.Constant) and body.value is None):
                yield _with(node, body=ast.Constant(None))
        case ast.Raise(exc=exc, cause=cause):
            if exc is not None:
                yield ast.Pass()
            if cause is not None:
                yield _with(node, cause=None)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Expr() | ast.Delete():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Slice(lower=lower, upper=upper, step=step):
            yield from (
                _with(node, **{name: None})
                for name, value in [("lower", lower), ("upper", upper), ("step", step)]
                if value is not None
            )
        case ast.comprehension(ifs=ifs):
            for index in range(len(ifs)):
                yield _with(node, ifs=ifs[:index] + ifs[index + 1 :])
        case ast.ExceptHandler(type=ast.Tuple(elts=types)):
            for index in range(len(types)):
                rest = types[:index] + types[index + 1 :]
                yield _with(node, type=ast.Tuple(rest, ast.Load()))
        case ast.ExceptHandler(type=ast.expr()):
            yield _with(node, type=ast.Tuple([], ast.Load()))
        case ast.Try(finalbody=[_, *_]):
            yield _with(node, finalbody=[ast.Pass()])
        case ast.With(items=items, body=body):
            if all(item.optional_vars is None for item in items):
                yield ast.If(ast.Constant(value=True), body, [])
        case ast.Call():
            yield from _calls(node)
        case ast.Name(id=name) if name in _BUILTINS:
            yield _with(node, id=_BUILTINS[name])
        case ast.Attribute(attr=name) if name in _METHODS:
            yield _with(node, attr=_METHODS[name])


def _asks_for_a_platform(node: ast.AST) -> bool:
    """Return whether what follows runs on other machines only."""
    match node:
        case ast.If(test=ast.Compare(left=ast.Attribute(attr="platform"))):
            return True
    return False


def _is_pattern(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile")):
            return True
    return False


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _constants(value: object) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield value + 1
    elif isinstance(value, str):
        yield "" if value else "x"
    elif isinstance(value, bytes):
        yield b"" if value else b"x"


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if _is_pattern(node):
        yield from _patterns(node)
    arguments = node.args
    in_any_order = isinstance(node.func, ast.Name) and node.func.id in _BUILTINS
    if (
        len(arguments) > 1
        and not in_any_order
        and not any(isinstance(each, ast.Starred) for each in arguments[:2])
    ):
        yield _with(node, args=[arguments[1], arguments[0], *arguments[2:]])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg and not isinstance(keyword.value, ast.Constant):
            rest = node.keywords[:index] + node.keywords[index + 1 :]
            yield _with(node, keywords=rest)


def _patterns(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the call with another pattern; what is put into one stays there."""
    pattern, *others = node.args
    flags = 0
    for each in ast.walk(ast.Module(others, [])):
        if isinstance(each, ast.Attribute):
            flags |= getattr(re, each.attr)
    parts = pattern.values if isinstance(pattern, ast.JoinedStr) else [pattern]
    # What is put in stands for itself, as a character of nobody's.
    put_in = {}
    text = ""
    for part in parts:
        if not isinstance(part, ast.Constant):
            sign = chr(0xE000 + len(put_in))
            put_in[sign] = part
            text += sign
        elif isinstance(part.value, bytes):
            text += part.value.decode("latin-1")
        else:
            text += part.value
    for changed in variations(text, flags):
        if isinstance(pattern, ast.JoinedStr):
            pieces = re.split(r"([\ue000-\uf8ff])", changed)
            values = [put_in.get(piece) or ast.Constant(piece) for piece in pieces]
            new: ast.expr = ast.JoinedStr(values)
        elif isinstance(parts[0].value, bytes):
            new = ast.Constant(changed.encode("latin-1"))
        else:
            new = ast.Constant(changed)
        yield _with(node, args=[new, *others])
