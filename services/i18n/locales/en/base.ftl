# Frame of the pages and words used everywhere.
# Notes for translators stand above the key they belong to. The Chinese catalogue is the source.

# The name of the service. 一次办 means "done in one go"; keep both names.
brand = Onetrip
# Read out by screen readers for the logo, which leads to the start page.
brand-full = 一次办 Onetrip, start page
skip-to-content = Skip to content
switches-label = Language and text size
# Turns on larger type and larger buttons. Short: it stands in the page header.
switch-elder-on = Larger text
switch-elder-off = Normal text
# Always written in the language it switches to.
switch-language = 中文
help-title = Want help from a person?
help-hours = day and night
foot-nav-label = Footer
privacy-link = Your data
follow-link = Follow a case
staff-link = Staff
to-home = Back to the start
next = Continue
back = Back
send = Send
change = Change
optional = optional
choose-one = Please choose
copy = Copy
copied = Copied
print = Print
# Begins the page title and, for screen readers, the message beside a field. Keep the space at the end.
error-prefix = Error:{" "}
errors-title = A few things need another look
steps-label = Steps
pager-label = Pages
pager-first = First page
pager-next = Next page

# $length is a length of time such as "3 days 4 h".
time-left = { $length } left
time-overdue = { $length } overdue
time-moment = under a minute
time-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
time-hours = { $n } h
time-minutes = { $n } min
# Stands after how-2-caption, "You get a result within".
working-days = { $days ->
    [one] { $days } working day
   *[other] { $days } working days
}
# $when is a date with a time.
by-when = by { $when }
due-met = done in time
due-met-late = done, but late
# After when it was done.
due-limit = limit { $when }
due-paused = clock paused

error-title-not-found = We can't find that page
error-text-not-found = Please check the address. To see a case, look it up again with its number and secret.
error-title-forbidden = You can't see this page
error-text-forbidden = If you think you should be able to, please get in touch.
error-title-form-expired = This page has been open too long
error-text-form-expired = To protect your data, please go back, reload the page and send it again.
error-title-refused = This can't be done now
error-text-refused = The case has moved on. Please go back to it and look again.
error-title-too-large = The file is too large
error-text-too-large = Please use smaller photos, or fewer of them, and try again.
error-title-unreadable = We couldn't read what was sent
error-text-unreadable = Nothing was saved. Please go back and try again.
error-title-too-many = That was a bit too often
error-text-too-many = Please wait a few minutes. If it's urgent, call us.
error-title-internal = Something broke on our side
error-text-internal = It isn't your fault. Please try again in a little while. If you got no case number, nothing was sent.
error-title-unavailable = The service is down for a moment
error-text-unavailable = Please try again in a few minutes. Cases already sent are safe.
error-kept = Everything you filled in is kept for 24 hours. You can carry on where you were.
error-kept-link = Carry on
error-help = If it's urgent, call { $phone }. We can do it for you.
error-id = Please mention this when you call:

# Shown when two people changed one case at the same time.
conflict-title = Somebody changed this case meanwhile
conflict-text = Nothing you wrote is lost: it's below. Have a look at what changed, then decide whether to send it.
conflict-changed = What changed
conflict-typed = What you wrote
# $act is the name of an act, such as "Give the result".
conflict-send = Send anyway: { $act }
conflict-drop = Don't send, back to the case

# Titles of problems that programs read (RFC 9457). Short, without a full stop.
problem-cross-site = The request was not started on a page of this site
problem-internal = Internal error
problem-validation = Some fields need changing
problem-not-found = Not found
problem-forbidden = Not allowed
problem-unauthenticated = Please sign in
problem-refused = A rule does not allow this
problem-conflict = Changed by somebody else meanwhile
problem-too-large = Too large
problem-too-many = Too many requests
problem-unavailable = Unavailable for a moment
