"""Mutation testing of the modules that secrets depend on.

    python -m mutation               all mutants of all declared modules
    python -m mutation --sample 10   at most ten of each module, always the same ones

`tests/mutation/modules.toml` declares each module with the test files that are to
notice every change of it; `tests/mutation/equivalent.toml` lists the changes that
nothing can notice, each with its reason.

    mutants      the changes of a module: one place, one change
    patterns     the changes of a regular expression
    examples     fewer examples for properties, and always the same ones
    branches     the same tests with branch coverage
    runs         a process for each mutant, and what the tests said
"""
