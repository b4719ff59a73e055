"""The mutants of a source: each with a name that no line number is in, and a source that is wrong in one place."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FunctionType

from attrs import frozen

from riskcore.mutation.operators import Change, get_changes, get_condition_changes, get_value_changes
from riskcore.mutation.planting import find, get_function_nodes, get_source
from riskcore.mutation.types import KERNEL, Scope, get_hints

#: What is called while a mutant's own statement is about to run.
MARK = "__mutant_is_reached__"


@frozen
class Mutant:
    """``start`` and ``end`` are the bytes of the module's source that ``text`` stands for."""

    module: str
    function: str
    ordinal: int
    operator: str
    start: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """Stable while the function's source is: its number counts the operator's changes within the function."""
        return f"{self.module}:{self.function}:{self.ordinal}:{self.operator}"

    def get_source(self) -> str:
        right = get_source(KERNEL[self.module]).encode()
        return (right[: self.start] + self.text.encode() + right[self.end :]).decode()

    def get_lines(self) -> tuple[str, str]:
        """The changed source as it is and as it becomes, on one line each."""
        right = get_source(KERNEL[self.module]).encode()
        first, last = right.rfind(b"\n", 0, self.start) + 1, right.find(b"\n", self.end)
        new = right[first : self.start] + self.text.encode() + right[self.end : last]
        return _join(right[first:last]), _join(new)

    def get_code(self, *, marked: bool = False) -> CodeType:
        """The function's code with the fault in it; ``marked`` calls ``MARK`` before the statement that is wrong."""
        tree = ast.parse(self.get_source())
        if marked:
            line = self.get_source().encode()[: self.start].count(b"\n") + 1
            _insert_mark(dict(get_function_nodes(tree))[self.function], line)
        return _find_code(compile(tree, f"<riskcore.{self.module} with a fault>", "exec"), self.function)

    def get_function(self) -> FunctionType:
        return find(KERNEL[self.module], self.function)


def _join(lines: bytes) -> str:
    return " ".join(line.strip() for line in lines.decode().splitlines())


def get_mutants(module: str, function: str | None = None) -> list[Mutant]:
    """Every mutant of a module, or of one function of it, in the order of the source."""
    source = get_source(KERNEL[module])
    offsets = get_offsets(source)
    found: list[Mutant] = []
    for name, node in get_function_nodes(ast.parse(source)):
        if function is not None and name != function:
            continue
        count: Counter[str] = Counter()
        places: set[tuple[int, int, str]] = set()
        for place, (operator, text) in _walk(module, name, node):
            start, end = get_span(place, offsets)
            if (start, end, text) in places:
                continue
            places.add((start, end, text))
            count[operator] += 1
            found.append(Mutant(module, name, count[operator], operator, start, end, text))
    return found


def _walk(module: str, name: str, function: ast.FunctionDef) -> Iterator[tuple[ast.AST, Change]]:
    """Every changeable node of a function's body, in order, with each of its changes."""
    home = KERNEL[module]
    scope = Scope(home, name, find(home, name))
    returned = get_hints(find(home, name)).get("return")

    def visit(node: ast.AST) -> Iterator[tuple[ast.AST, Change]]:
        if isinstance(node, ast.Assert | ast.JoinedStr):
            return
        yield from ((node, change) for change in get_changes(node, scope, home))
        for owner, value, kind in _get_values(node, returned, scope):
            yield from ((owner, change) for change in get_value_changes(value, kind))
        if isinstance(node, ast.If):
            yield from ((node.test, change) for change in get_condition_changes(node.test))
        for child in _get_children(node):
            yield from visit(child)
        if isinstance(node, ast.Assign):
            scope.assign(node.targets[0], node.value)

    for statement in function.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield from visit(statement)


def _get_values(node: ast.AST, returned: object, scope: Scope) -> Iterator[tuple[ast.AST, ast.expr, object]]:
    """The expressions whose integers are kept, returned, or given to a verb; with their types."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield node.value, node.value, returned
    if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Tuple):
        yield node.value, node.value, scope.get_type(node.value)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from ((argument, argument, scope.get_type(argument)) for argument in node.value.args)


def _get_children(node: ast.AST) -> Iterator[ast.AST]:
    """What is run of a node: no annotations, no names of functions, no messages of errors."""
    if isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield node.value
        return
    if isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
        yield from node.args
        # how long what is zipped must be is asserted, as an assertion is
        yield from (keyword for keyword in node.keywords if keyword.arg != "strict")
        return
    yield from ast.iter_child_nodes(node)


def get_offsets(source: str) -> list[int]:
    offsets = [0]
    for line in source.encode().splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets


def get_span(node: ast.AST, offsets: list[int]) -> tuple[int, int]:
    # only expressions and statements come here, and both have a place; the type of all nodes has none
    place: ast.expr = node  # type: ignore[assignment]
    assert place.end_lineno is not None and place.end_col_offset is not None
    return offsets[place.lineno - 1] + place.col_offset, offsets[place.end_lineno - 1] + place.end_col_offset


def _find_code(code: CodeType, name: str) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(f"{constant.co_qualname}."):
                return _find_code(constant, name)
    raise LookupError(name)


def _insert_mark(function: ast.FunctionDef, line: int) -> None:
    """Put the call before the innermost statement that begins at or before the line and ends after it."""
    body, place = function.body, 0
    blocks: list[list[ast.stmt]] = [function.body]
    while blocks:
        block = blocks.pop()
        for number, statement in enumerate(block):
            assert statement.end_lineno is not None
            if statement.lineno <= line <= statement.end_lineno:
                body, place = block, number
                blocks = [part for name in ("body", "orelse") if (part := getattr(statement, name, None))]
                break
    mark = ast.parse(f"{MARK}()").body[0]
    for node in ast.walk(mark):
        ast.copy_location(node, body[place])
    body.insert(place, mark)
