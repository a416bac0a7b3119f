"""format=flowed (RFC 3676): lines that the sender's program wrapped become paragraphs again."""


def unflow(content: str, *, delsp: bool) -> str:
    """`content` (LF line ends) with soft line ends taken out; with `delsp`, the space before each as well.

    Quoted lines stay as they are: nobody reads on in them. An empty line parts paragraphs even after a soft line end.
    """
    paragraphs: list[list[str]] = []
    flowing = False
    for line in content.split("\n"):
        quoted = line.startswith(">")
        text = line.removeprefix(" ")  # a space is put before what would else read as a mark
        continues = flowing and bool(text) and not quoted and text != "-- "
        flowing = not quoted and text.endswith(" ") and text != "-- "
        kept = text[:-1] if flowing and delsp else text
        if continues:
            paragraphs[-1].append(kept)
        else:
            paragraphs.append([kept])
    return "\n".join(["".join(paragraph) for paragraph in paragraphs])
