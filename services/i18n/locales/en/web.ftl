# Words that the endpoints put together: who did it, what a list shows.
status-offered = Offered to another office

# Names a photo for those who cannot see it.
photo-n = Photo { $n }

# Who did an event of the timeline, where it is not an office.
by-resident = Resident
by-service = The service
by-supervisor = Supervision

# Stands where words were deleted by erasing their key.
text-erased = (deleted at the person's request)
ledger-refiling = Filed again after closing
err-fill-in = Fill this in

# Headings of the lists behind the numbers of the board.
list-submitted = Cases received
list-open = Open cases
list-open-overdue = Open and overdue
list-contact-due = Contact limit fell
list-contact-met = Contacted in time
list-contact-missed = Not contacted in time
list-result-due = Limit for the result fell
list-result-met = Result in time
list-result-missed = Result not in time
list-closed = Closed
list-closed-run-once = Closed without a breach
list-closed-with-breach = Closed with a breach
list-concluded = Came to a first end
list-reopened = Reopened
list-asked = Asked for a verdict
list-rated = Rated
list-satisfied = Satisfied
list-dissatisfied = Dissatisfied
list-solved = Solved, say residents
list-not-solved = Not solved, say residents

# Heading over words typed into a form that is not there any more.
unsent-title = What you wrote, not sent
# Heading over photos that a form which came back still has.
photos-kept = Photos taken in already

# Written by the service into a case that is handled with another one.
merged-photo = Handled together with other cases of the same matter; photos of the place, if any, are kept with the case that was handled.
merged-by-resident = Chosen when it was filed: the same matter as the case that this one is handled with.
merged-lead-ended = The case that this one was handled with has ended without a result; this one is handled on its own again.
