"""benchmarks.province.chart"""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.province.chart import chart
from benchmarks.province.limits import Limit


def test_the_picture_is_whole_has_a_bar_for_each_limit_and_its_lengths_follow_the_limits() -> None:
    now = [Limit("disk <full>", 100.0, ""), Limit("link", 10_000.0, "")]
    later = [Limit("link", 5_000.0, ""), Limit("disk <full>", 50.0, "")]

    root = ElementTree.fromstring(chart({"now": now, "in 10 years": later}, (50, 1_000)))

    shape = "{http://www.w3.org/2000/svg}"
    bars = [float(each.get("width", "0")) for each in root.iter(f"{shape}rect")][1:]
    texts = [each.text for each in root.iter(f"{shape}text")]
    assert {"disk <full>", "link", "now", "in 10 years", "50", "1,000"} <= set(texts)
    disk_now, disk_later, link_now, link_later = bars[:4]
    assert disk_later < disk_now < link_later < link_now
