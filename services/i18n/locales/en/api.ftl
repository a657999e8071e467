# Problems that programs read (RFC 9457). Titles are short, without a full stop; the rest are whole sentences.
problem-bad-request = The request cannot be read
problem-bad-json = The body is not JSON
problem-bad-query = The query of the address cannot be read
problem-method-not-allowed = This address does not take this method
problem-unsupported-media-type = The body is of a kind that is not taken here
problem-idempotency-key-missing = The Idempotency-Key header is missing
problem-idempotency-key-malformed = Idempotency-Key has to be 1 to 255 plain characters, for a submission without any token at least 22
problem-idempotency-key-reused = This Idempotency-Key was used for another request
problem-version-needed = Name the version you have read in If-Match
problem-version-malformed = If-Match has to be an ETag such as "3"
problem-visitor-malformed = X-Onetrip-Visitor has to be 22 to 128 letters, digits, - or _

err-fault-missing = This has to be filled in
err-fault-too-long = Shorten this to { $max } characters
err-fault-unknown = There is no such choice
err-fault-phone = Check the phone number, for example 138 0013 8000 or 0755-8888 8888
err-fault-street = Choose a street district or a community
err-fault-too-many = { $max } at most
err-fault-too-many-waiting = Too many photos are waiting. Use some or take some back
err-fault-unknown-field = There is no field of this name here
err-fault-shape = This is not in the form that is needed here; the detail says where
