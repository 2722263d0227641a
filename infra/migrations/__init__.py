"""Changes of what is stored, in the order of their numbers; `python -m infra.migrate` runs those that did not run yet.

`NNNN_name.py`: a docstring that says what and why, the `COLLECTIONS` to look through, the `FIELDS` to look at, and
`change`, which gives the fields that a document should have and has not; none for a document that is as it should be. A
file that has run is never edited again.
"""
