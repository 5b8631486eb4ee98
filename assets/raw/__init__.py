"""Tables as published, only parsed: the publisher's names and units, no merging, picking or renaming."""
