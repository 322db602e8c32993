"""Write what is made on the pages of docs/ from the code: `python -m tests.pages`."""

from tests.pages.made import REPOSITORY, brought_up_to_date, pages

for page in pages():
    text = brought_up_to_date(page)
    if text != page.read_text(encoding="utf-8"):
        page.write_text(text, encoding="utf-8")
        print(page.relative_to(REPOSITORY))
