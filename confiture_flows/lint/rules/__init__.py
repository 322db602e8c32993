"""The rules about statements, a file each named by its demand; a module has `RULES`.

To find one by its code: `confiture-flows rules explain CF01`, or the code in these files. A rule is
told of each operation of its kinds (`on`) with the scene around it, and gives problems. Rules know
nothing of one another; what several need is in the `_` modules above. A new one is a file here and
its cases in tests/rules/CODE.yml.
"""
