"""What lies in deploy/ is checked by the programs that it is for, as far as they can be had here.

Grafana and Kubernetes are not: of their files only the form is checked, and that what they name is there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT
from tests.servers.presence import require
from wxsync.config.loader import load_settings
from wxsync.service.metric_names import ALL, BY_NAME

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "wxsync.rules.yml"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FOREIGN = re.compile(r"process_\w+|python_info|up")
"""Metrics of Prometheus and of its client."""


def promtool(*arguments: str, cwd: Path = DEPLOY / "prometheus") -> subprocess.CompletedProcess[str]:
    require(package="prometheus", present=shutil.which("promtool") is not None)
    return subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "wxsync.json").read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    """Every question that the dashboard asks."""
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def metrics_in(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that it names, with the labels that it selects by."""
    for name, labels in re.findall(r"\b(wxsync_\w+|process_\w+|up)\b(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", labels))


# Prometheus


def test_promtool_finds_no_fault_in_the_rules() -> None:
    """`promtool check rules` and `promtool check config` on the example beside them."""
    checked = [promtool("check", "rules", RULES.name), promtool("check", "config", "prometheus.yml")]
    assert [each.returncode for each in checked] == [0, 0], [each.stdout + each.stderr for each in checked]


def test_every_alert_comes_when_it_should_and_not_before() -> None:
    """`promtool test rules`; each alert has a case in which it is silent, and one in which it comes."""
    done = promtool("test", "rules", "wxsync.rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr

    cases = yaml.safe_load((DEPLOY / "prometheus" / "wxsync.rules.test.yml").read_text(encoding="utf-8"))
    tried = [each for test in cases["tests"] for each in test["alert_rule_test"]]
    names = {rule["alert"] for rule in rules()}
    assert {each["alertname"] for each in tried if each["exp_alerts"]} == names
    assert {each["alertname"] for each in tried if not each["exp_alerts"]} == names


def test_an_alert_that_cannot_come_is_noticed(tmp_path: Path) -> None:
    """With another threshold the cases of the rules fail."""
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "rules")
    changed = RULES.read_text(encoding="utf-8").replace("> 300", "> 300000")
    (tmp_path / "rules" / RULES.name).write_text(changed, encoding="utf-8")

    assert promtool("test", "rules", "wxsync.rules.test.yml", cwd=tmp_path / "rules").returncode == 1


def test_every_metric_that_is_named_is_told() -> None:
    """By rules and dashboard, with labels that it has."""
    asked = [*expressions(), *(rule["expr"] for rule in rules())]
    for name, labels in (each for expression in asked for each in metrics_in(expression)):
        if not FOREIGN.fullmatch(name):
            assert name in BY_NAME
            assert labels <= set(BY_NAME[name].labels), name


def test_every_metric_is_looked_at_by_somebody() -> None:
    """On the dashboard or in a rule; what nobody looks at need not be told."""
    asked = " ".join([*expressions(), *(rule["expr"] for rule in rules())])
    beside = {
        "wxsync_build_info",  # for queries by hand
        "wxsync_mirror_read_seconds",
        "wxsync_lease_held",
        "wxsync_quota_calls_allowed",
        "wxsync_run_last_start_timestamp_seconds",
        "wxsync_run_last_changes",
        "wxsync_run_last_success_timestamp_seconds",
    }
    assert {metric.name for metric in ALL if metric.name not in asked} <= beside


def test_every_alert_has_its_place_in_the_operations() -> None:
    """The runbook that an alert names is a heading there, and each heading is an alert."""
    headings = re.findall(r"^#### (Wxsync\w+)$", OPERATIONS, re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning", "info")


# Grafana


def test_every_question_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    """Grafana's variables filled in, promtool takes each as the expression of a rule."""
    filled = [
        re.sub(r"\$\{?(corp|sync)\}?", "acme", expression).replace("$__rate_interval", "5m")
        for expression in expressions()
    ]
    records = [{"record": f"dashboard:{n}", "expr": each} for n, each in enumerate(filled)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}), encoding="utf-8")

    done = promtool("check", "rules", str(file))
    assert len(filled) > 25
    assert (done.returncode, "$" in " ".join(filled)) == (0, False), done.stdout + done.stderr


def test_the_dashboard_is_one_by_grafanas_json_model() -> None:
    """What it says a dashboard and a panel have, of the types that it says."""
    board = dashboard()
    assert isinstance(board["schemaVersion"], int)
    assert board["schemaVersion"] >= 36  # by then a panel's data source is an object
    assert board["id"] is None  # Grafana gives it one when it is imported
    assert re.fullmatch(r"[\w-]{1,40}", board["uid"])
    assert {"from", "to"} == set(board["time"])
    assert isinstance(board["annotations"]["list"], list)
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "corp", "sync"]
    for panel in board["panels"]:
        assert panel["type"] in ("row", "stat", "timeseries", "bargauge", "table")
        assert panel["title"]
        if panel["type"] == "row":
            assert panel["panels"] == []
            continue
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])])
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_no_panel_lies_on_another() -> None:
    """Each has its own number and its own place, within the 24 columns that there are."""
    panels = dashboard()["panels"]
    places = [panel["gridPos"] for panel in panels]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(each["x"] >= 0 and each["x"] + each["w"] <= 24 and each["h"] > 0 for each in places)
    assert not [(a, b) for a, b in combinations(places, 2) if overlaps(a, b)]


def overlaps(a: dict[str, int], b: dict[str, int]) -> bool:
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or above)


# Two hosts


def test_nginx_takes_the_proxys_config(tmp_path: Path) -> None:
    """`nginx -t`, with a certificate of the test's and ports that need no rights."""
    require(package="nginx-light", present=shutil.which("nginx") is not None)
    require(package="openssl", present=shutil.which("openssl") is not None)
    text = (DEPLOY / "two-hosts" / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/nginx/wxsync.", f"{tmp_path}/wxsync.")
    text = re.sub(r"listen (\d+)", lambda found: f"listen {20000 + int(found[1])}", text)
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=sync.example.com"
    subprocess.run(
        [*make.split(), "-keyout", tmp_path / "wxsync.key", "-out", tmp_path / "wxsync.crt"],
        check=True,
        capture_output=True,
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    http = f"http {{\naccess_log off;\n{places}{text}\n}}\n"
    whole = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n{http}"
    (tmp_path / "nginx.conf").write_text(whole, encoding="utf-8")

    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_what_two_hosts_say_otherwise_is_known_to_the_config() -> None:
    """Each key of the fragment is one that there is, and its mirror is none that lies on one host."""
    said = tomllib.loads((DEPLOY / "two-hosts" / "wxsync.toml").read_text(encoding="utf-8"))
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")

    assert said["mirror"]["url"].startswith("postgresql://")
    for path in paths(said):
        assert f"`{path}`" in reference, path


def paths(table: dict[str, Any], before: str = "") -> Iterator[str]:
    """Every key, as the reference names it."""
    for name, value in table.items():
        key = f"{before}.NAME" if before in ("corp", "sync", "source") else f"{before}.{name}".lstrip(".")
        if isinstance(value, dict):
            yield from paths(value, key)
        else:
            yield key


# Kubernetes


def manifests() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifests()["Deployment"]["spec"]["template"]["spec"]
    return found


def test_the_manifest_has_what_two_replicas_need() -> None:
    """Each object says of what version of the API it is; the labels by which they find each other agree."""
    found = manifests()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert {kind: each["apiVersion"] for kind, each in found.items()} == {
        "ConfigMap": "v1",
        "Deployment": "apps/v1",
        "PodDisruptionBudget": "policy/v1",
        "Service": "v1",
    }
    assert found["Deployment"]["spec"]["replicas"] == 2
    assert found["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
    ):
        assert selector == labels


def test_every_reference_in_the_manifest_leads_somewhere() -> None:
    """Volumes, ports, the ConfigMap; the Secret is for whoever sets it up to make."""
    spec, found = pod(), manifests()
    volumes = {each["name"] for each in spec["volumes"]}
    ports = {port["name"] for each in spec["containers"] for port in each["ports"]}
    mounts = {
        mount["name"]: mount["mountPath"]
        for each in (*spec["containers"], *spec["initContainers"])
        for mount in each["volumeMounts"]
    }
    named = {each["configMap"]["name"] for each in spec["volumes"] if "configMap" in each}

    assert set(mounts) == volumes
    assert named == {found["ConfigMap"]["metadata"]["name"]}
    assert {each["targetPort"] for each in found["Service"]["spec"]["ports"]} <= ports
    for each in (*spec["containers"], *spec["initContainers"]):
        config = each["args"][each["args"].index("--config") + 1]
        assert Path(config).parent == Path(mounts["config"])
        assert Path(config).name in found["ConfigMap"]["data"]


@pytest.mark.parametrize(
    ("probe", "path"),
    [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")],
)
def test_every_probe_asks_a_path_that_there_is(probe: str, path: str) -> None:
    """And waits for longer than the answer may take, 2 s."""
    [container] = pod()["containers"]
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    asked = container[probe]

    assert asked["httpGet"] == {"path": path, "port": "http"}
    assert f"`GET {path}`" in reference
    if probe != "startupProbe":
        assert asked["timeoutSeconds"] > 2


def test_the_pod_may_do_no_more_than_it_must() -> None:
    """Nobody's root, no capability, nothing to write to but /tmp, no word for the cluster's API."""
    spec = pod()
    for each in (*spec["containers"], *spec["initContainers"]):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert all(mount.get("readOnly") for mount in each["volumeMounts"] if mount["name"] != "tmp")
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["shareProcessNamespace"] is True  # or a timer's SIGKILL would do nothing (docs/safety.md)
    assert spec["terminationGracePeriodSeconds"] >= 30


def test_the_config_in_the_manifest_can_be_used(tmp_path: Path) -> None:
    """With the Secret's files in place it loads, and no secret is written out in it."""
    text = manifests()["ConfigMap"]["data"]["config.toml"]
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in re.findall(r'"file:/run/secrets/wxsync/(\w+)"', text):
        (secrets / name).write_text(
            "a" * 43 if name.endswith("aes_key") else f"madeup{name.replace('_', '')}", encoding="utf-8"
        )
    config = tmp_path / "config.toml"
    config.write_text(text.replace("/run/secrets/wxsync", str(secrets)), encoding="utf-8")
    config.chmod(0o644)

    loaded = load_settings(config, environment={})

    assert not loaded.warnings
    assert list(loaded.settings.sync) == ["acme"]
    assert loaded.settings.sync["acme"].mode == "plan"
