"""The parameter table in README.md, made from the template."""

import pathlib
import sys

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- parameters -->\n", "<!-- end of parameters -->\n"
LONGEST_DEFAULT = 80


def table(template):
    rows = ["| parameter | default | meaning |", "| --- | --- | --- |"]
    for name, parameter in template["Parameters"].items():
        default = " ".join(parameter["Default"].split()).replace("|", "\\|")
        shown = f"`{default}`" if 0 < len(default) <= LONGEST_DEFAULT else "(see template.yaml)" if default else ""
        meaning = " ".join(parameter["Description"].split()).replace("|", "\\|")
        if "AllowedValues" in parameter:
            meaning += f" ({', '.join(parameter['AllowedValues'])})"
        rows.append(f"| {name} | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def parameter_table_problems(template):
    text = README.read_text(encoding="utf-8")
    if f"{BEGIN}{table(template)}{END}" not in text:
        yield "README.md: the table of parameters is not the template's; run python3 deploy/tests/readme.py"


def main():
    from transform import transform

    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    template = transform(README.parent / "template.yaml")
    README.write_text(f"{before}{BEGIN}{table(template)}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
