"""A small language model of the project's own that runs in the process: it hears what a mail's words say of an amount.

No word of the mail leaves the process for it. Only mail with an amount that the signs leave in doubt is given to it.
"""
