# Words of the domain: states, events, categories, refusals. Read on residents' and on staff pages.

# The three classes of an appeal.
class-consultation = Question
class-help = Help
class-complaint = Complaint or report

# Where a case stands.
status-submitted = Sent, to be accepted
status-accepted = Accepted, to be assigned
status-handling = Being handled
status-awaiting-resident = Waiting for papers
status-result-given = Result given, to be rated
status-closed = Closed
status-withdrawn = Withdrawn
status-reopened = Being done again
status-declined = Passed outside
status-law-pause = Statutory hearing or expert; the clocks stand still
status-review = Under review
status-final-review = Under final review
status-merged = Handled together with another case

# Who has the case, where it is not an office.
holder-resident = the resident
holder-you = you
holder-nobody = nobody, it has ended
holder-law = a statutory hearing or an expert
holder-reviewer = the reviewing office a tier up
holder-lead = the office that handles both together
# Who has it, and whom to ask meanwhile.
holder-and-unit = { $holder }; { $unit } can tell more

# One sentence per event; the office that did it stands beside it.
event-submitted = The case arrived
event-joined = The same matter was sent again and added here
event-supplement = Something was added
event-accepted = Accepted
event-declined = Not theirs: another owner was named
event-assigned = A contact cadre and a handling unit were assigned
event-hand-over-offered = Offered to another unit
event-hand-over-taken = Taken over
event-hand-over-returned = Sent back
event-hand-over-taken-back = Offer taken back
event-follow-up-contact = Talked with the resident
event-follow-up-contact-missed = Tried to reach the resident, without success
event-follow-up-progress = Looked at how it is going
event-follow-up-call-back = Called back after the result
event-follow-up-call-back-missed = Called back, without reaching anybody
event-trip-asked = The resident was asked to come by once
event-materials-requested = Papers were requested
event-materials-answered = The resident handed papers over
event-silence-recorded = The time for papers passed; handling goes on
event-limit-waived = A supervisor allowed going beyond the run-once limit
event-result-given = The result was given
event-rated-solved = The resident says: solved
event-rated-partly = The resident says: partly solved
event-rated-not-solved = The resident says: not solved
event-reopened = The resident had it reopened
event-withdrawn = The resident withdrew it
event-closed-rated = Closed after the rating
event-closed-unrated = Closed: the time for rating passed
event-closed-outside = Closed: it belongs outside this system
event-closed-source = Closed with the other system's outcome
event-closed-reviewed = Closed after the review
event-hand-over-referred = Handed on too often: the supervisor decides whose it is
event-joint-handling = Handled together with other offices
event-joint-handling-ended = Joint handling ended
event-contribution = An office that helps told what it has done
event-law-pause-hearing = A statutory hearing began; the clocks stand still
event-law-pause-expert = An expert was called in; the clocks stand still
event-law-pause-ended = Hearing or expert finished; the clocks go on
event-limit-extended = The legal limit was extended
event-promise-made = Promised by
event-promise-kept = The promise was kept
event-rating-owned = Somebody has taken the bad rating on
event-review-asked = The resident asked for a review
event-final-review-asked = The resident asked for a final review
event-review-upheld = The result stands
event-review-changed = The result was changed
event-review-sent-back = Sent back to be done again
event-merged = Handled together with a case of the same matter
event-unmerged = Handled on its own again
event-urged = A supervisor urged it
event-warning = Time is running out
event-breach = Past its limit
event-escalated = Overdue: reported a tier up
event-raising-withdrawn = A mistaken warning was withdrawn (a clock was wrong)
event-deadlines-recomputed = Holidays were published; the deadlines were computed again
# $day is a date.
day-now-worked = { $day } is a working day now
day-now-free = { $day } is a day off now

category-group-urban = Streets and surroundings
category-group-safety = Safety
category-group-community = Community life
category-group-services = Services and permits
category-street-lights = Street lights
category-roads = Damaged roads
category-waste = Waste
category-greenery = Greenery
category-noise = Noise
category-parking = Parking
category-utilities = Water, power, gas
category-danger = Danger
category-fire-safety = Fire safety
category-elevator = Lifts
category-property-management = Property management
category-neighbours = Neighbours
category-wages = Unpaid wages
category-social-security = Social security
category-school = Schools
category-housing = Housing
category-permits = Permits
category-other = Something else

# Papers that can be asked for, once.
material-identity = Proof of identity
material-household-register = Household register
material-property-certificate = Property certificate
material-lease = Lease
material-income-proof = Proof of income
material-medical-record = Medical record
material-wage-record = Wage record
material-authorization = Authorisation
material-photo-of-place = Photo of the place
material-other = Something else

# Names of deadlines. Followed by "3 days left".
clock-contact = First contact
clock-result = Result
clock-redo = Result of the redo
clock-materials = Papers
clock-rating = Rating
clock-receipt = Notice of receipt
clock-objection = Objection “not ours”
clock-legal = Outer legal limit
clock-rating-owner = Owner of the bad rating
clock-promise = Promise
clock-ask-review = Asking for a review
clock-review = Review
clock-ask-final-review = Asking for a final review
clock-final-review = Final review

# Short marks on a row of the queue.
mark-trip = Trip asked
mark-requested = Papers asked
mark-breach = Limit broken
mark-reopened = Reopened
mark-offered = Offered
mark-unnamed = Unnamed

# Limits a supervisor can waive.
waive-trip = One more trip
waive-material-request = One more request for papers
waive-held-paper = Asking for a paper already held

# Why something was refused. A whole sentence without a full stop.
refusal-no-such-case = There is no such case
refusal-already-filed = This case was sent already
refusal-empty = This can't be left empty
refusal-too-long = This is too long
refusal-unknown = There is no such choice; please choose again
refusal-score-out-of-range = The score is 1 to 5
refusal-wrong-stage = This can't be done at this stage
refusal-ended = This case has ended
refusal-not-offered = This case was not offered to this unit
refusal-same-holder = This unit has the case already
refusal-trip-limit = The resident was asked to come by once already. Another trip needs a supervisor's written reason and counts as a breach of the run-once rule
refusal-material-request-limit = Papers were requested once already. Another request needs a supervisor's written reason and counts as a breach of the run-once rule
refusal-held-paper = We have this paper; the resident can't be asked for it again
refusal-request-too-late = The time in which papers can be requested has passed
refusal-already-held = We have this paper; please take it from the case that holds it
refusal-nothing-to-waive = The limit isn't reached, so there is nothing to waive
refusal-still-waiting = The resident still has time to answer
refusal-place-proof-missing = A matter with a place needs a photo of it afterwards, or the reason why there is none
refusal-reason-missing = "Not solved" needs a reason
refusal-already-rated = It was rated already, and ratings can't be changed
refusal-window-ended = The time for rating and reopening has passed
refusal-window-open = The resident can still rate it, so it can't be closed
refusal-same-matter-open = The same matter is open already
refusal-objection-too-late = The time to say “not ours” is over
refusal-already-extended = The limit has been extended once already
refusal-out-of-range = That number is outside what is allowed
refusal-past = That day has passed
refusal-promise-open = An earlier promise is still to be kept
refusal-somebody-else = This is for somebody who has not done it before
refusal-finally-reviewed = This matter has had its final review; without a new fact it is not taken again
refusal-merged-with-itself = A case cannot be merged into itself
refusal-supplements-full = No more can be added to this case in writing; call us and give its number
refusal-merged-otherwise = One of the two is merged with other cases already
refusal-not-yours = This is for another role to do

# The four tiers.
tier-city = city
tier-district = district
tier-street = street
tier-community = community

days-n = { $n } days
