"""Isolated strategies as others use them: by rules, in other processes, for a long time."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.registry import load_strategies, registered
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.anonymization.sandbox import strategy as sandbox
from confiture_flows.anonymization.sandbox.strategy import SandboxedStrategy
from confiture_flows.anonymization.validator import ConfigValidator
from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError, StrategyError

from .conftest import HERE, NAME, SECRET

Isolate = Callable[..., SandboxedStrategy]
MASK = "vendor_kit.masks:Name"


def test_rule_of_a_configuration_is_run_isolated(tmp_path: Path) -> None:
    (tmp_path / "vendor.py").write_text(
        "def mask(value: str, *, sign: str = '*') -> str:\n    return sign * len(value)\n"
    )
    (tmp_path / "confiture.toml").write_text(
        '[anonymization.modules]\nvendor = { trust = "untrusted", timeout = 5 }\n'
        '[anonymization.columns]\n"public.users.name" = '
        '{ strategy = "vendor:mask", config = { sign = "#" } }\n'
    )
    (rule,) = rules_of(load_project(tmp_path / "confiture.toml")).columns
    strategy = StrategyFactory().make(rule, NAME)
    assert isinstance(strategy, SandboxedStrategy)
    assert strategy.anonymize_batch(["ab", "c"]) == ["##", "#"]
    assert "vendor" not in sys.modules
    # Whoever looks the name up, and wherever: never the module itself.
    again = pickle.loads(pickle.dumps(rule))
    assert registered.find(again.strategy) is registered.find(rule.strategy) is type(strategy)
    assert issubclass(registered.find(rule.strategy), SandboxedStrategy)
    with pytest.raises(ConfigError, match="has no option sing"):
        ConfigValidator().validate(rule.strategy, {"sing": "#"})
    strategy.close()


def test_package_keyed_and_configured(isolate: Isolate) -> None:
    strategy = isolate(MASK, digits=3, upper=True)
    results = strategy.anonymize_batch(["ada@example.org", "李", "ada@example.org"])
    assert results[0] == results[2] != results[1]
    assert results[0].isupper()
    number = SECRET.key(MASK).number(b"ada@example.org")
    assert results[0].endswith(str(number % 1000))
    assert (strategy.unique, strategy.keyed, strategy.capacity()) == ("probable", True, 4000)
    assert "A first name and a number" in (type(strategy).__doc__ or "")


def test_only_a_keyed_strategy_gets_a_key_and_never_the_secret(
    isolate: Isolate, tmp_path: Path
) -> None:
    (tmp_path / "vendor_keys.py").write_text(
        "import gc\n"
        "from confiture_flows.plugins import StrategyBase, Key\n"
        "class Found(StrategyBase):\n"
        "    def anonymize(self, value, *others):\n"
        "        from confiture_flows.anonymization.keys import Secret\n"
        "        kinds = [type(each) for each in gc.get_objects()]\n"
        "        return f'{self._key} {kinds.count(Secret)}'\n"
        "class Keyed(Found):\n"
        "    keyed = True\n"
        "    def anonymize(self, value, *others):\n"
        "        return self.key.export().hex()\n"
    )
    assert isolate("vendor_keys:Found", root=tmp_path).anonymize("x") == "None 0"
    keyed = isolate("vendor_keys:Keyed", root=tmp_path)
    assert keyed.anonymize("x") == SECRET.key("vendor_keys:Keyed").export().hex()


def test_option_that_does_not_fit_is_refused_as_for_any_strategy(isolate: Isolate) -> None:
    with pytest.raises(ConfigError, match="digits: Input should be a valid integer"):
        isolate(MASK, digits="many")
    with pytest.raises(ConfigError, match="does not fit: at most 12 digits"):
        isolate(MASK, digits=13)
    with pytest.raises(ConfigError, match="takes text"):
        isolate(MASK, column=replace(NAME, type="int4"))


def test_other_columns_and_null_go_through(isolate: Isolate) -> None:
    strategy = isolate("vendor_kit.masks:With")
    assert strategy.needs() == ("country",)
    assert strategy.anonymize_batch(["abc", "d"], ["NO", None]) == ["NO-3", None]


def test_what_the_standard_library_loads_late_was_loaded_before(isolate: Isolate) -> None:
    assert isolate("vendor_kit.masks:busy", unit="+").anonymize("Zoë").startswith("name+")


def test_batch_larger_than_the_pipes_and_a_request_goes_through(isolate: Isolate) -> None:
    strategy = isolate(MASK)
    values = ["x" * 1_000_000, *map(str, range(50_000)), "y" * 9_000_000]
    results = strategy.anonymize_batch(values)
    assert len(results) == len(values)
    assert results[5] == strategy.anonymize(values[5])


def test_strategy_goes_to_another_process_and_starts_its_own_worker(isolate: Isolate) -> None:
    strategy = isolate(MASK, digits=4)
    copied = pickle.loads(pickle.dumps(strategy))
    assert copied.pid != strategy.pid
    assert copied.anonymize("ada") == strategy.anonymize("ada")
    assert type(copied) is type(strategy)
    copied.close()


def test_fork_starts_its_own_worker_and_leaves_that_of_its_parent(isolate: Isolate) -> None:
    strategy = isolate(MASK)
    expected, pid = strategy.anonymize("ada"), strategy.pid
    child = os.fork()
    if child == 0:
        code = 1
        try:
            same = strategy.anonymize("ada") == expected
            code = 0 if same and strategy.pid != pid else 2
            strategy.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert strategy.pid == pid
    assert strategy.anonymize("ada") == expected


def test_threads_take_turns(isolate: Isolate) -> None:
    strategy = isolate(MASK)
    values = [[f"{n}-{m}" for m in range(200)] for n in range(8)]
    expected = [strategy.anonymize_batch(each) for each in values]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(strategy.anonymize_batch, values)) == expected


def test_worker_is_renewed_after_its_share_of_work(
    isolate: Isolate, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy = isolate(MASK)
    first, pid = strategy.anonymize("ada"), strategy.pid
    monkeypatch.setattr(sandbox, "RENEW_SECONDS", 0.0)
    assert strategy.anonymize("ada") == first
    assert strategy.pid != pid


def test_worker_ends_with_the_strategy(isolate: Isolate) -> None:
    strategy = isolate(MASK)
    pid = strategy.pid
    assert pid
    strategy.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


SCRIPT = """
    import sys, time
    from pathlib import Path
    from confiture_flows.anonymization.factory import StrategyFactory
    from confiture_flows.anonymization.rules import ColumnRule, Pattern
    from confiture_flows.anonymization.strategy import Column
    from confiture_flows.anonymization.trust import Isolation, StrategyName

    def make(require=None):
        name = StrategyName("vendor_faults:unfit", (
            Isolation("vendor_faults", require, 10.0, Path(sys.argv[1])),))
        rule = ColumnRule(Pattern.read("public.users.name", 3), name)
        return StrategyFactory().make(rule, Column("public", "users", "name", "text"))
"""


def script(rest: str) -> list[str]:
    code = textwrap.dedent(SCRIPT) + textwrap.dedent(rest)
    return [sys.executable, "-c", code, str(HERE)]


def test_worker_ends_when_its_parent_is_killed() -> None:
    order = script("made = make()\nprint(made.pid, flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(order, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        for _ in range(200):
            if state(pid) in {None, "Z"}:
                return
            time.sleep(0.05)
    pytest.fail("the worker lives on")


def state(pid: int) -> str | None:
    """Of a process; an orphan that ended may wait for somebody to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return None


# A machine without seccomp: a filter of this process's own, which children inherit, says that there
# is no such call. It is asked for by prctl, so that the call itself is not needed.
WITHOUT_SECCOMP = """
    import ctypes, platform
    from confiture_flows.anonymization.sandbox import bpf
    from confiture_flows.anonymization.sandbox.walls import _FilterProgram
    from confiture_flows.errors import ConfigError

    machine = bpf.ARCHITECTURES[platform.machine()]
    steps = [
        bpf._Step(bpf.LOAD, 0),
        bpf._Step(bpf.JUMP_EQUAL, machine.seccomp, otherwise="allow"),
        bpf._Step(bpf.RETURN, bpf.RETURN_ERRNO | 38),
        bpf._Step(bpf.RETURN, bpf.RETURN_ALLOW, label="allow"),
    ]
    code = bpf.assemble(steps)
    program = _FilterProgram(len(code) // 8, code)
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(program)) == 0
    print(*make().walls)
    try:
        make("seccomp")
    except ConfigError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a filter takes seccomp away")
def test_required_wall_that_does_not_stand_refuses_to_run() -> None:
    done = subprocess.run(script(WITHOUT_SECCOMP), capture_output=True, text=True, timeout=120)
    walls, *said = done.stdout.splitlines()
    assert "process" in walls.split(), done.stderr
    assert "seccomp" not in walls.split()
    assert "requires seccomp, which this machine does not have" in said[0]
    assert "leave `require` out" in said[1]


def test_required_wall_that_stands_lets_it_run(tmp_path: Path) -> None:
    order = script("made = make('seccomp')\nprint(made.anonymize('x'))\n")
    done = subprocess.run(order, capture_output=True, text=True, timeout=120)
    if sys.platform == "linux":
        assert done.stdout == "*\n", done.stderr
    else:
        assert "requires seccomp" in done.stderr


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ('modules = { vendor = "maybe" }', "modules.vendor.trust: Input should be 'trusted'"),
        ('modules = { vendor = { trust = "untrusted", timeout = 0 } }', "greater than 0"),
        ('modules = { "a.b" = "untrusted" }', "no top module or package"),
        ('strategies = ["vendor"]\nmodules = { vendor = "untrusted" }', "cannot register"),
    ],
)
def test_configuration_that_cannot_be_is_refused(tmp_path: Path, said: str, what: str) -> None:
    (tmp_path / "confiture.toml").write_text(f"[anonymization]\n{said}\n")
    with pytest.raises(ConfigError, match=what):
        load_project(tmp_path / "confiture.toml")


def test_trusted_module_runs_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "confiture.toml").write_text(
        '[anonymization.modules]\nvendor = "trusted"\n'
        '[anonymization.columns]\n"public.users.name" = "hash"\n'
    )
    (rule,) = rules_of(load_project(tmp_path / "confiture.toml")).columns
    assert type(rule.strategy) is str


def test_module_without_source_is_refused(isolate: Isolate) -> None:
    with pytest.raises(ConfigError, match="cannot be found"):
        isolate("vendor_that_is_not_there:mask")
    with pytest.raises(ConfigError, match="has no Python source"):
        isolate("_ctypes:mask")


def test_values_without_a_form_are_refused_before_they_are_sent(isolate: Isolate) -> None:
    with pytest.raises(StrategyError, match="there is no form for a object"):
        isolate("vendor_faults:unfit").anonymize(object())


def test_strategy_within_a_strategy_is_isolated_too(tmp_path: Path) -> None:
    (tmp_path / "vendor_within.py").write_text(
        "import os\ndef pid(value: str) -> str:\n    return str(os.getpid())\n"
    )
    (tmp_path / "confiture.toml").write_text(
        '[anonymization.modules]\nvendor_within = "untrusted"\n[anonymization.columns]\n'
        '"public.users.data" = { strategy = "jsonb", config = '
        '{ paths = { "$.a" = "vendor_within:pid" } } }\n'
    )
    (rule,) = rules_of(load_project(tmp_path / "confiture.toml")).columns
    outer = StrategyFactory(SECRET).make(rule, replace(NAME, name="data", type="jsonb"))
    pid = json.loads(outer.anonymize('{"a": "x"}'))["a"]
    assert int(pid) != os.getpid()
    assert "vendor_within" not in sys.modules
    # In a process that knows nothing but the pickled strategy, the inner one is isolated as well.
    code = (
        "import json, os, pickle, sys\n"
        "made = pickle.load(sys.stdin.buffer)\n"
        "said = made.anonymize(json.dumps({'a': 'x'}))\n"
        "print(said, os.getpid(), 'vendor_within' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(outer),
        capture_output=True,
        timeout=120,
        cwd=tmp_path,
    )
    answer, parent, imported = done.stdout.decode().rsplit(" ", 2)
    assert json.loads(answer)["a"] != parent, done.stderr
    assert imported.strip() == "False"


def test_any_name_of_an_untrusted_module_is_isolated(tmp_path: Path) -> None:
    (tmp_path / "vendor_named.py").write_text("def mask(value: str) -> str:\n    return '*'\n")
    (tmp_path / "confiture.toml").write_text(
        '[anonymization.modules]\nvendor_named = "untrusted"\n'
    )
    registry = load_strategies(load_project(tmp_path / "confiture.toml"))
    assert issubclass(registry.find("vendor_named:mask"), SandboxedStrategy)
    assert "vendor_named" not in sys.modules
