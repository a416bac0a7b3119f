"""What nobody asks for and has to be done now and then: one module a task.

Every task does a bounded amount and says whether there is more, may run twice at once, and may be killed anywhere: it
claims what it works on, and what it has claimed comes due again by itself. One bad mailbox stops no other.
"""
