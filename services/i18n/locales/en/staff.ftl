# Pages for staff: cadres, clerks, supervisors. Read on a phone more often than at a desk, so keep it short.

sign-in-title = Staff sign-in
sign-in-login = User name
sign-in-password = Password
sign-in-submit = Sign in
sign-in-hint = Forgotten your password? Ask your unit's administrator.
staff-nav-label = Work
staff-sign-out = Sign out
nav-queue = Queue
# A clerk fills in a case for somebody at the counter or on the phone.
nav-file = File
nav-board = Board

# The first page of an administrator, who sees no case.
start-title = You are signed in
start-who = { $name }, { $office }
start-no-cases = Administrators run the service and see no case, so there is no queue and no board for you here.
start-commands = Accounts, rules and read models are seen to on the server. "onetrip --help" names the commands.

queue-title = Queue
queue-total = { $n ->
    [one] { $n } case
   *[other] { $n } cases
}
queue-overdue = { $n } overdue
queue-soon = { $n } due within three working days
queue-search = Find by number
queue-search-go = Find
queue-scopes = Whose cases
queue-filters = Filters
queue-list = Cases
queue-empty = No cases here.
scope-mine = Mine
# 片区, the area one cadre is fixed contact for.
scope-district = My contact district
scope-unit = My unit
scope-area = All in my area
filter-status = Status
filter-kind = Kind

staff-words = In the resident's words
staff-side = People and limits
staff-who = Who has it
# 当前承办
staff-holder = Holder
# 联系干部
staff-cadre = Contact cadre
staff-no-cadre = none yet
staff-resident = Resident
staff-unnamed = stays unnamed
staff-hidden = not for you to see
staff-rated = The resident's rating

acts-title = What you can do
acts-none = There's nothing for you to do here now.
acts-bar = Main acts
acts-all = All acts
act-not-now = not now
# Names of acts, on buttons.
act-accept = Accept
act-decline = Not ours
act-assign = Assign
act-follow-up = Record a follow-up
act-materials = Request papers
act-trip = Ask for a trip
act-waive = Waive a limit
act-hand-over = Hand over
act-take-over = Take over
act-return = Send back
act-take-back = Take the offer back
act-result = Give the result
act-close = Close
# On the button that sends the form of the act.
act-send-accept = Accept
act-send-decline = Propose the next owner
act-send-assign = Assign
act-send-follow-up = Save
act-send-materials = Tell the resident, once
act-send-trip = Tell the resident
act-send-waive = Waive and record it
act-send-hand-over = Offer it
act-send-take-over = Take it over
act-send-return = Send it back
act-send-take-back = Take it back
act-send-result = Tell the resident
act-send-close = Close it
act-accept-text = Your unit is responsible from then on, until another has taken over.
act-decline-text = Name who should have it and why. Until they take over it stays with you, and the resident's clock runs on.
act-materials-text = You can ask once, so list everything. What we have already can't be asked for.
act-materials-until = At the latest on { $when }.
act-trip-text = A resident makes one trip at most. If a call, a visit or a photo will do, no trip is needed.
act-waive-text = This is recorded as a breach of the run-once rule, and the resident sees the reason.
act-hand-over-text = Until they take over it stays with you, and the clock runs on.
act-take-over-text = { $office } offers you this case. Your unit is responsible once you take it over.
act-return-text = The unit that offered it stays responsible.
act-take-back-text = { $office } has not taken it over. Take the offer back to go on with the case or to offer it to somebody else.
act-close-text = The time for rating has passed without one, so the case can be closed.
field-next-owner = Who should have it
field-next-owner-outside = Outside this system
field-outside = If it's outside this system, say where
field-decline-reason = Why it isn't ours
field-decline-reason-hint = Name the grounds. The resident will read this.
field-cadre = Contact cadre
field-unit = Handling unit
field-follow-up-kind = This was
field-reached = Did you reach the resident?
field-reached-yes = Yes
field-reached-no = No
field-follow-up-words = Notes
field-follow-up-hint = What you asked, what you heard, what comes next. The resident can read this.
follow-up-contact = Contact
follow-up-progress = Progress
follow-up-call-back = Call-back
field-materials = What is needed
# Read out by screen readers; $what is a kind of paper.
field-materials-words = { $what }: note
field-materials-placeholder = Note (optional)
field-trip-place = Where to
field-trip-reason = Why there is no other way
field-trip-hint = The resident will read this.
field-limit = Which limit
field-waive-reason = Reason
field-waive-hint = It's kept with the case, and the resident can read it.
field-hand-over-unit = To whom
field-reason = Reason
field-hand-over-hint = The other unit and the resident will read this.
field-return-hint = Say why it isn't yours, and whose it might be.
field-take-back-hint = Say why, and what comes next. The resident can read this.
field-result-words = Result
field-result-hint = What you found, what you did, on what grounds, and what is left.
field-evidence = Evidence, photos
field-after-photo = Photo afterwards
field-after-photo-hint = Same place, same angle, so that the resident sees it at once.
field-why-no-photo = Why there is no photo
# $act is the name of an act.
done-act = Saved: { $act }

file-title = File for a resident
file-lead = At the counter, on one page. The case is the resident's own: hand over the number and the secret.
file-kinds = Kind
file-text = What the resident says
file-text-hint = In their words. Read it back to them.
file-send = Send and get the number
# Said to the clerk, about the resident.
file-phone = The resident's phone number
file-name = The resident's name
file-unnamed = The resident stays unnamed
file-unnamed-hint = The case is handled all the same, but nobody can call the resident. They follow it with number and secret, and a lost secret can't be replaced: tell them so.
err-file-phone-empty = Enter the resident's phone number, or tick "The resident stays unnamed"
filed-title = Filed: hand over number and secret
filed-text = Write both down for the resident or read them out. With the two the resident follows the case on any device.
filed-secret = The secret is shown only now. Don't keep a copy: it is the resident's alone.
filed-joined-title = This is already being handled
filed-joined-text = The resident's same matter is open already. What you wrote has been added to it.
filed-joined-secret = The resident has the secret from then. It can't be shown again.
filed-next = File for the next resident
filed-case = Open the case

board-title = Board
board-as-of = As of { $when }
board-from = From
board-to = To
board-area = Area
board-all-area = The whole area
board-unit = Handling unit
board-all-units = All units
board-kind = Kind
board-all-kinds = All kinds
board-apply = Show
board-figures = Figures
board-definition = How it's counted
board-beside-rated = { $share } rated
board-beside-reached = { $partly } partly, { $missed } not reached
board-times = From sending to result
board-median = Median
board-percentile = { $p }th percentile
# The percentile can't be told yet, since so many cases are still open.
board-not-reached = not reached
board-times-note = From { $n } cases; { $open } still open are counted as lasting at least as long as they have.
board-small = fewer than 5
board-few = { $n } with fewer than 5 cases: in the table only.
board-any-month = Any time
board-table = Show the table
board-cases = Cases
board-open = Open
board-back = Back to the board
board-by-unit = by unit
board-by-district = by district
board-by-kind = by kind
board-by-month = by month
board-col-unit = Handling unit
board-col-district = District
board-col-kind = Kind
board-col-month = Month
board-value-per = Per 10,000 inhabitants
# $figure is the name of a figure, $by one of the board-by-… texts.
board-title-by = { $figure } { $by }
board-title-received = Cases received { $by }
board-title-times = From sending to result { $by }
board-part-of = { $figure }: { $part }
board-part-numerator = cases that count
board-part-denominator = all cases considered

figure-open = Open
figure-overdue = Overdue
figure-response-rate = Response rate
figure-on-time = On time
figure-resolution-rate = Resolution rate
figure-satisfaction = Satisfaction
figure-share-rated = Share rated
figure-run-once = Run-once rate
figure-reopened = Reopened
figure-definition-open = Cases that have not ended.
figure-definition-overdue = Open cases whose limit for the result has passed.
figure-definition-response-rate = First real contact in time, out of cases whose contact limit fell in the period.
figure-definition-on-time = Result inside the clock, out of cases whose limit fell in the period, open overdue ones included.
figure-definition-resolution-rate = Residents who say solved, out of residents reached. Partly and not reached are shown beside it.
figure-definition-satisfaction = 3 or better of 5, out of residents who rated. Read it with the share rated.
figure-definition-share-rated = Rated, out of asked.
figure-definition-run-once = No breach of the run-once rule, out of closed cases.
figure-definition-reopened = Reopened, then or later, out of cases that came to their first end in the period: closed, or reopened instead.
