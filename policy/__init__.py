"""The policy pack: what a preview is held against, `pulumi preview --policy-pack policy`.

It sees resources as they reach the engine, whatever program made them. Owns the rules, of which `pack` has the list.
Leaves to `settings` what people are told of a setting, which is earlier and says more of the remedy.
"""
