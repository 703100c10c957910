"""Makes src/price/table.csv (for people) and src/price/table.txt (for the crate) from public price data.

Runs at development time only; see README.md here. Nothing is fetched by this script or by the build.
"""

import argparse
import csv
import datetime
import json
import re
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version
from pathlib import Path

from genai_prices.data import providers
from genai_prices.types import StartDateConstraint, TieredPrices, TimeOfDateConstraint

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "src" / "price"
GENAI = "0.2.3"
KEYS = ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"]
LITELLM_KEYS = ["input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost",
                "cache_creation_input_token_cost", "cache_creation_input_token_cost_above_1hr"]
LITELLM_PREFIX = {"groq": "groq/", "deepseek": "deepseek/", "google": "gemini/", "openrouter": "openrouter/"}
COLUMNS = ["provider", "model", "match", "effective_from", "effective_to", "hours_utc", "above_tokens", "input",
           "output", "cache_read", "cache_write", "cache_write_1h", "context", "max_output", "retired_on", "source",
           "checked_on"]


class Period:
    """Prices from a date on, in some hours of the day, above some count of input tokens."""

    def __init__(self, start, hours, tiers):
        self.start, self.hours, self.tiers = start, hours, tiers  # tiers: [(above, [rates])], first above is 0


def nano(dollars):
    """Dollars per million tokens as nano-dollars, rounded up to whole micro-dollars: that is what table.txt holds."""
    return int((Decimal(dollars) * 1_000_000).to_integral_value(ROUND_CEILING)) * 1000


def rates_at(prices, above):
    result = []
    for key in KEYS:
        price = prices.get(key)
        if isinstance(price, TieredPrices):
            steps = [tier.price for tier in price.tiers if tier.start <= above]
            price = steps[-1] if above and steps else price.base
        result.append(None if price is None else nano(price))
    return result


def hours_of(constraint):
    """Every hour that the window touches: a window is never cut short."""
    first = constraint.start_time.hour
    end = constraint.end_time
    last = end.hour + (1 if end.minute or end.second else 0)
    assert first < last, "windows over midnight are not needed so far"
    return sum(1 << hour for hour in range(first, last))


def from_genai(model, checked_on):
    conditional = model.prices if isinstance(model.prices, list) else [None]
    periods = []
    for one in conditional:
        prices = (one.prices if one else model.prices).__dict__
        start, hours = None, None
        if one and isinstance(one.constraint, StartDateConstraint):
            start = one.constraint.start_date
        elif one and isinstance(one.constraint, TimeOfDateConstraint):
            hours = hours_of(one.constraint)
        elif one:
            assert one.constraint is None
        starts = {tier.start for key in KEYS if isinstance(prices.get(key), TieredPrices) for tier in prices[key].tiers}
        tiers = [(above, rates_at(prices, above)) for above in [0, *sorted(starts)]]
        if hours and periods and periods[-1].hours and periods[-1].tiers == tiers:
            periods[-1].hours |= hours  # two windows of one day at the same price
        else:
            periods.append(Period(start, hours, tiers))
    # What ended before the table was made is not needed any more.
    dated = [p for p in periods if p.hours is None]
    past = [p for p in dated if p.start is None or p.start <= checked_on]
    return [p for p in periods if p.hours is not None or p not in past[:-1]]


def from_litellm(row):
    def rate(key):
        return None if row.get(key) is None else nano(Decimal(repr(row[key])) * 1_000_000)
    return [Period(None, None, [(0, [rate(key) for key in LITELLM_KEYS])])]


def read_selection():
    for line in (HERE / "models.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            options = dict(word.split("=") if "=" in word else (word, True) for word in words[2:])
            yield words[0], words[1], options


def build(litellm, openrouter, checked_on):
    genai = {(p.id, m.id): m for p in providers for m in p.models}
    table = []
    for provider, model, options in read_selection():
        limits_from = openrouter if provider == "openrouter" else litellm
        row = limits_from.get(LITELLM_PREFIX.get(provider, "") + model, {})
        known = genai.get((options.get("from", provider), options.get("as", model)))
        if known is None and "litellm" not in options:  # one entry of genai-prices can stand for several ids
            found = [m for (p, _), m in genai.items() if p == provider and m.is_match(model)]
            assert len(found) == 1, f"{provider} {model}: {[m.id for m in found]}"
            known = found[0]
        if "litellm" in options:
            periods = from_litellm(row)
            source = "litellm 1.106.0" if provider == "openrouter" else "litellm 1.109.1"
        else:
            periods = from_genai(known, checked_on)
            source = f"genai-prices {GENAI}"
            row = {**row, "max_input_tokens": known.context_window or row.get("max_input_tokens")}
        context = options.get("context") or row.get("max_input_tokens") or ""
        out = options.get("out") or row.get("max_output_tokens") or ""
        if row.get("mode") == "embedding" or "embedding" in model:
            out = ""  # some sources write the length of the vector here
        retired = options.get("retired") or row.get("deprecation_date") or ""
        for period in periods:
            for _, rates in period.tiers:
                if model.endswith(":free"):
                    assert not any(rates), f"{provider} {model} is not free"
                    rates[:] = [0, 0, None, None, None]
                    continue
                # A variable price is sometimes written as 0, and an unknown one as nothing: neither is free.
                assert rates[0], f"{provider} {model}: no input price"
                assert rates[1] or "embedding" in model, f"{provider} {model}: no output price"
                rates[1] = rates[1] or 0
                if rates[3] is not None and rates[3] < rates[0]:
                    # A write that seems cheaper than reading: OpenRouter's Gemini rows hold the storage alone, which
                    # comes on top of the input; LiteLLM writes 0 where writes are not charged apart.
                    rates[3] = rates[0] + rates[3] if rates[3] else None
        table.append((provider, model, "dated" if "dated" in options else "exact", periods, context, out, retired, source))
    check_dated(table, genai)
    return table


def check_dated(table, genai):
    """No dated id that genai-prices prices differently may be caught by a row's date rule."""
    exact = {(provider, model) for provider, model, *_ in table}
    for provider, model, match, periods, *_ in table:
        if match != "dated":
            continue
        for (other, name), known in genai.items():
            if other != provider or (provider, name) in exact:
                continue
            if re.fullmatch(re.escape(model) + r"-(\d{8}|\d{4}-\d{2}-\d{2})", name):
                first = from_genai(known, datetime.date.max)[0].tiers[0][1]
                assert first[:2] == periods[0].tiers[0][1][:2], f"{name} needs a row of its own"


def write_csv(table, checked_on):
    with open(TABLE / "table.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for provider, model, match, periods, context, max_output, retired, source in table:
            starts = [p.start for p in periods if p.start and p.start > checked_on]
            for period in periods:
                end = min((s for s in starts if period.hours is None and (not period.start or s > period.start)), default="")
                for above, rates in period.tiers:
                    out.writerow([provider, model, match, period.start or "", end, period.hours or "", above or "",
                                  *("" if rate is None else rate for rate in rates), context, max_output, retired,
                                  source, checked_on])


def days(date):
    return (date - datetime.date(1970, 1, 1)).days


def write_packed(table, checked_on):
    """The same without what only people read. The first character says what a line is:

    @ provider
    = or ~ id | context | max_output | retired on     (~ also matches the id followed by a date)
    $ rates
    + effective from | rates
    % mask of UTC hours | rates
    > input tokens | rates                             (of the line above, for requests with more input tokens)

    Rates are input | output | cache read | cache write | cache write for an hour, in micro-dollars per million tokens,
    dates are days since 1970, a final k stands for three zeros. Where several prices apply the last one counts.
    Sorted by provider and model, so that a lookup is a binary search.
    """
    def number(value):
        if value in (None, ""):
            return ""
        value = int(value)
        return f"{value // 1000}k" if value and value % 1000 == 0 else str(value)

    def join(fields):
        return "|".join(fields).rstrip("|")

    lines, last = [], None
    for provider, model, match, periods, context, max_output, retired, _ in sorted(table, key=lambda row: row[:2]):
        if provider != last:
            lines.append(f"@{provider}")
            last = provider
        day = days(datetime.date.fromisoformat(retired)) if retired else None
        lines.append(("~" if match == "dated" else "=") + join([model, *map(number, [context, max_output, day])]))
        if model.endswith(":free"):
            continue  # the suffix says the price
        for period in periods:
            for above, rates in period.tiers:
                packed = [number(None if rate is None else rate // 1000) for rate in rates]
                if above:
                    lines.append(">" + join([number(above), *packed]))
                elif period.hours is not None:
                    lines.append("%" + join([number(period.hours), *packed]))
                elif period.start and period.start > checked_on:
                    lines.append("+" + join([number(days(period.start)), *packed]))
                else:
                    lines.append("$" + join(packed))
    (TABLE / "table.txt").write_text("\n".join(lines) + "\n")


def write_differences(table, path):
    reference = json.loads(Path(path).read_text())
    rows = {(row["provider"], row["model"]): row for row in reference["rows"]}
    out = ["# Differences between price sources", "",
           f"Base price of each row of the table ({GENAI} of genai-prices, where `source` says no other) against other",
           "sources, in USD per million tokens (input / output). The table keeps its own price; providers that report",
           "a cost are settled by that cost.", "",
           "Other sources: LiteLLM 1.109.1 (1.106.0 for OpenRouter, 1.100.0 for retired Groq rows), models.dev commit",
           "f3fc6922 (2026-07-02), Helicone commit 1f5ea22a.", "",
           "| provider | model | table | other source | its price |", "|---|---|---|---|---|"]
    compared = missing = differences = 0
    for provider, model, _, periods, *_ in table:
        row = rows.get((provider, model))
        if row is None:
            missing += 1
            continue
        compared += 1
        ours = [Decimal(rate) / 1_000_000_000 for rate in periods[0].tiers[0][1][:2]]
        for name, label in [("litellm", "LiteLLM"), ("models_dev", "models.dev"), ("helicone", "Helicone")]:
            other = row.get(name)
            if not other or "input" not in other:
                continue
            theirs = [Decimal(other["input"]), Decimal(other.get("output") or 0)]
            if theirs != ours:
                differences += 1
                out.append(f"| {provider} | `{model}` | {ours[0].normalize():f} / {ours[1].normalize():f} | {label} "
                           f"| {theirs[0].normalize():f} / {theirs[1].normalize():f} |")
    absent = sorted(set(rows) - {(row[0], row[1]) for row in table})
    out += ["", f"{compared} rows compared, {differences} differences; {missing} rows of the table have no counterpart.", "",
            "In the other sources but not in the table (unknown, so refused unless configured): "
            + ", ".join(f"{provider} `{model}`" for provider, model in absent) + "."]
    (HERE / "DIFFERENCES.md").write_text("\n".join(out) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--litellm", required=True, help="model_prices_and_context_window_backup.json of 1.109.1")
    arguments.add_argument("--litellm-openrouter", required=True, help="the same of 1.106.0, the last with OpenRouter")
    arguments.add_argument("--checked-on", required=True, type=datetime.date.fromisoformat)
    arguments.add_argument("--compare", help="a prices.json with the prices of several sources")
    given = arguments.parse_args()
    assert version("genai-prices") == GENAI
    litellm = json.loads(Path(given.litellm).read_text())
    openrouter = json.loads(Path(given.litellm_openrouter).read_text())
    table = build(litellm, openrouter, given.checked_on)
    write_csv(table, given.checked_on)
    write_packed(table, given.checked_on)
    if given.compare:
        write_differences(table, given.compare)
    print(f"{len(table)} models, {(TABLE / 'table.txt').stat().st_size} bytes packed")


if __name__ == "__main__":
    main()
